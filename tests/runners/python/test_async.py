"""Runs the conformance corpus through the asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import corpus
import pytest
from bloomchats import AsyncBloomChats, AsyncBlooio
from bloomchats.errors import BloomChatsError
from bloomchats.testing import scripted

PRODUCTS = {"blooio": AsyncBlooio, "bloomchats": AsyncBloomChats}


@pytest.fixture(scope="module")
def passed() -> Iterator[set[str]]:
    ids: set[str] = set()
    yield ids
    corpus.write_passed("python-async", ids)


@pytest.mark.parametrize("case", corpus.cases(), ids=lambda case: case["id"])
def test_case(case: dict[str, Any], passed: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    corpus.without_environment(monkeypatch)
    with corpus.watched(case) as events:
        actual = corpus.run_webhook(case["webhook"]) if "webhook" in case else asyncio.run(run(case))
    found = list(corpus.differences(case["expect"], {**actual, "events": events}))
    assert not found, case["about"] + "\n" + "\n".join(found)
    passed.add(case["id"])


async def run(case: dict[str, Any]) -> dict[str, Any]:
    product, settings, keyless = corpus.client_settings(case["client"])
    try:
        client: Any = PRODUCTS[product]() if keyless else scripted(PRODUCTS[product], case["transcript"], **settings)
    except BloomChatsError as error:
        return corpus.refused(error)
    async with client:
        return corpus.happened(client, [await perform(client, call) for call in case["calls"]])


async def perform(client: Any, call: dict[str, Any]) -> dict[str, Any]:
    pages: list[Any] = []
    try:
        response = await corpus.method(client, call["operation"])(**corpus.arguments(call))
        if not hasattr(response.value, "next_page"):
            return corpus.success(response)
        page = response.value
        while page is not None:
            pages.append(page.items)
            page = await page.next_page() if len(pages) < call.get("pages", len(pages) + 1) else None
    except BloomChatsError as error:
        return corpus.failure(error) | ({"pages": corpus.plain(pages)} if pages else {})
    return corpus.listed(pages)

"""The pytest plugin: the fixture `bloomchats_sandbox`.

A package of its own: every run of pytest imports it, and only those that use the fixture should wait for the clients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bloomchats.testing import Sandbox


@pytest.fixture(scope="session")
def bloomchats_sandbox_process() -> Iterator[Sandbox]:
    """The sandbox that all tests of this run share; each of them should use a namespace of its own."""
    from bloomchats.testing import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def bloomchats_sandbox(bloomchats_sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox with keys and state of this test's own. `Blooio()` and `BloomChats()` find it too, through the environment."""
    sandbox = bloomchats_sandbox_process.namespace()
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return sandbox

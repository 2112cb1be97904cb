"""What importing loads: what a program uses, and nothing before it does."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from inspect import isclass
from types import FunctionType, ModuleType
from typing import Any, get_args, get_type_hints

import bloomchats
import pytest
from bloomchats import CallOptions, ClientOptions, v2, v4
from bloomchats._arguments import _NAMES as CALL_OPTIONS  # pyright: ignore[reportPrivateUsage]
from bloomchats._connect import _NAMES as CLIENT_OPTIONS  # pyright: ignore[reportPrivateUsage]
from processes import run

PUBLIC: list[str] = getattr(bloomchats, "__all__")
SENT: dict[str, Any] = {"status": 202, "json": {"message_id": "m1"}}


def loaded(program: str) -> set[str]:
    """Modules that a program loads where nothing else has been."""
    whole = f"import sys\nbefore = set(sys.modules)\n{program}\nprint('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", whole], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_package_alone_loads_nothing_of_the_library() -> None:
    new = loaded("import bloomchats")
    assert "bloomchats" in new
    assert {name for name in new if not name.startswith("bloomchats")} <= {"__future__"}
    assert {name for name in new if name.startswith("bloomchats.generated.")} == {"bloomchats.generated.errors"}


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("from bloomchats import Blooio", "json re collections functools threading"),
        ("from bloomchats import Blooio; Blooio(api_key='k')", "blooio_v2 blooio_v4"),
        ("from bloomchats import Blooio; Blooio(api_key='k').v2.messages", "blooio_v4 blooio_v2.async_resources"),
        ("from bloomchats import Blooio; Blooio(api_key='k').v4.messages", "blooio_v2 blooio_v4.inputs"),
        ("from bloomchats import BloomChats; BloomChats(api_key='k').contacts", "blooio_v2 blooio_v4"),
    ],
)
def test_a_client_loads_what_it_uses(program: str, absent: str) -> None:
    new = loaded(program)
    unused = {name for part in absent.split() for name in (part, f"bloomchats.generated.{part}")}
    unused |= {"asyncio", "copy", "datetime", "inspect", "logging", "mimetypes", "typing", "urllib"}
    assert not new & unused


def test_calls_load_nothing() -> None:
    """Neither on a thread nor on an event loop does anybody wait for a module in the middle of a call."""
    program = f"""
import asyncio
from bloomchats.testing import scripted
from bloomchats import AsyncBlooio, Blooio
# `threading` tells the native half which thread is the main one.
def unchanged(since): assert set(sys.modules) - since <= {{"threading"}}, set(sys.modules) - since
v2 = scripted(Blooio, [{SENT!r}]).v2
ready = set(sys.modules)
assert v2.messages.send("+15551234567", text="Hello").message_id == "m1"
unchanged(ready)
async def main():
    v2 = scripted(AsyncBlooio, [{SENT!r}]).v2
    ready = set(sys.modules)
    assert (await v2.messages.send("+15551234567", text="Hello")).message_id == "m1"
    unchanged(ready)
asyncio.run(main())
"""
    assert "bloomchats._loop" in loaded(program)


def test_every_public_name_resolves() -> None:
    assert len(set(PUBLIC)) == len(PUBLIC) > 40
    assert {name for name in dir(bloomchats) if not name.startswith("__")} == {*PUBLIC} - {"__version__"}
    for name in PUBLIC:
        program = f"import bloomchats\nassert bloomchats.{name} is bloomchats.{name}\nfrom bloomchats import {name}"
        assert "bloomchats" in loaded(program)
    everything = "from bloomchats import *\nfor name in __import__('bloomchats').__all__: assert name in globals(), name"
    assert "bloomchats.webhooks" in loaded(everything)
    with pytest.raises(AttributeError, match="Blooo"):
        bloomchats.Blooo  # type: ignore[attr-defined]  # pyright: ignore
    with pytest.raises(ImportError, match="Blooo"):
        exec("from bloomchats import Blooo")


def test_classes_are_found_where_they_say_they_are() -> None:
    """As `pickle` does it."""
    for name in PUBLIC:
        value = getattr(bloomchats, name)
        if isinstance(value, type):
            assert getattr(importlib.import_module(value.__module__), value.__name__) is value


def test_parameters_in_annotations_that_are_read() -> None:
    assert str(bloomchats.Page[int]) == "bloomchats._page.Page[int]"
    assert isinstance(bloomchats.Pages[str](lambda: bloomchats.Page([], None, None)), bloomchats.Pages)


def test_public_types_resolve_in_the_hints_of_others() -> None:
    """As validators, containers and agents' tools read them: aliases are types and no text, classes hide no missing name."""
    untyped = (ModuleType, FunctionType, bloomchats.NotGiven)
    for module in (bloomchats, v2, v4, bloomchats.webhooks):
        names: list[str] = getattr(module, "__all__", [name for name in dir(module) if name[0].isupper()])
        for name, value in ((name, getattr(module, name)) for name in names if name != "__version__"):
            if not isinstance(value, untyped):
                mine = type("Mine", (), {"__annotations__": {"field": f"{name} | None"}})
                assert get_type_hints(mine, {name: value})["field"] == value | None, name
            if isclass(value) and not issubclass(value, BaseException):
                get_type_hints(value)
    assert set(get_args(get_type_hints(v2.MessagePartInput)["link_preview"])) == {v2.LinkPreviewInput, type(None)}


def test_the_options_that_are_taken_are_those_that_are_declared() -> None:
    assert CallOptions.__annotations__.keys() == CALL_OPTIONS
    assert ClientOptions.__annotations__.keys() == CLIENT_OPTIONS


def test_a_client_has_no_other_methods_than_its_users() -> None:
    assert {name for name in dir(bloomchats.Blooio) if not name.startswith("_")} == {"close", "v2", "v4"}
    assert {name for name in dir(bloomchats.AsyncBlooio) if not name.startswith("_")} == {"close", "v2", "v4"}


def test_threads_that_load_at_once() -> None:
    program = """
import json, threading, bloomchats
start, found = threading.Barrier(16), []
def first():
    start.wait()
    found.append(bloomchats.Blooio(api_key="k").v2.messages.send)
threads = [threading.Thread(target=first) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps([len(found), len({type(send.__self__) for send in found})]))
"""
    done = run(program)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [16, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="no fork here")
@pytest.mark.parametrize("first", ["client.v2", "bloomchats.webhooks"])
def test_a_fork_while_a_thread_loads(first: str) -> None:
    """The thread has begun when the process forks; its child needs the same modules."""
    program = f"""
import os, sys, threading, time, bloomchats
from processes import end_of, started
client = bloomchats.Blooio(api_key="k")
begun, forking = threading.Event(), threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "bloomchats.generated.blooio_v2.models":
            begun.set()
            assert forking.wait(10)
            time.sleep(0.2)  # A fork that does not wait for this happens meanwhile.
sys.meta_path.insert(0, Slow())
os.register_at_fork(before=forking.set)
thread = threading.Thread(target=lambda: {first})
thread.start()
assert begun.wait(10)
assert end_of(started(lambda: {first})) == 0
thread.join(10)
"""
    done = run(program)
    assert done.returncode == 0, done.stderr

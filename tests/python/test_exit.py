"""How programs begin and end: nothing starts before it is used, and nothing keeps a process that wants to go."""

from __future__ import annotations

import re

import pytest
from processes import run

ENDINGS = {
    "a call in a thread": "thread(sync); asked()",
    "a call on the loop of a thread": "thread(lambda: asyncio.run(pending())); asked()",
    "sys.exit": "thread(sync); asked(); sys.exit(0)",
    "os._exit": "thread(sync); asked(); os._exit(0)",
    "calls that never pause": "[thread(busy) for _ in range(4)]; asked()",
    "loops that never pause": "thread(lambda: asyncio.run(busy_loop())); asked()",
    "a task nobody awaits": "asyncio.run(abandoned())",
    "a loop that was never closed": "loop = asyncio.new_event_loop(); kept = loop.create_task(pending()); loop.run_until_complete(asyncio.to_thread(asked))",
    "a client with a callable": "thread(sync, Blooio(api_key=lambda: 'k', base_url=server.url)); asked()",
    "a callable at work": "thread(sync, Blooio(api_key=unending, base_url=server.url)); asked()",
    "watched calls": "logging.basicConfig(level='DEBUG', stream=io.StringIO()); thread(sync); thread(lambda: asyncio.run(pending())); asked(); asked()",
}
"""What a program does last. `asked` waits until the service has a call."""

OF_ASYNCIO = r"(?s)Task was destroyed but it is pending!.*|.*never retrieved.*"
"""What asyncio says itself about tasks that its program forgot."""


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("forked", [True, False], ids=["fifty children", "one program"])
def test_exit_with_calls_in_flight(ending: str, forked: bool) -> None:
    program = f"""
import asyncio, io, logging, os, sys, threading, time
from bloomchats import AsyncBlooio, Blooio
from processes import end_of
from server import SILENCE, Server

arrived, tell = os.pipe()
def reply(request):
    os.write(tell, b".")
    return SILENCE if request.target.endswith("silence") else (200, {{}})
server = Server(reply)
server.__enter__()

def thread(*work): threading.Thread(target=work[0], args=work[1:], daemon=True).start()
def asked(): os.read(arrived, 1)
def sync(client=Blooio(api_key="k", base_url=server.url)): client.v2.request("GET", "/silence")
def unending():
    os.write(tell, b".")
    while True: time.sleep(0.001)
def busy(client=Blooio(api_key="k", base_url=server.url)):
    while True: client.v2.request("GET", "/x")
async_client = AsyncBlooio(api_key="k", base_url=server.url)
async def pending(): await async_client.v2.request("GET", "/silence")
async def abandoned():
    asyncio.get_running_loop().create_task(pending())
    await asyncio.to_thread(asked)
async def busy_loop():
    while True: await asyncio.gather(*(async_client.v2.request("GET", "/x") for _ in range(8)))

if {forked}:
    for _ in range(50):
        child = os.fork()
        if child == 0: break
        assert end_of(child, 10) == 0
    else:
        os._exit(0)
{ENDINGS[ending]}
"""
    done = run(program)
    assert done.returncode == 0, (done.returncode, done.stderr)
    said = done.stderr if "loop" not in ENDINGS[ending] else re.sub(OF_ASYNCIO, "", done.stderr)
    assert (done.stdout, said) == ("", "")


def test_import_starts_no_thread_and_opens_nothing() -> None:
    program = """
import os, sys, threading
before = set(os.listdir("/dev/fd"))
opened = []
sys.addaudithook(lambda name, _: opened.append(name) if name.startswith("socket.") else None)
import bloomchats, bloomchats.testing
bloomchats.AsyncBlooio, bloomchats.webhooks, bloomchats.v4
tasks = len(os.listdir("/proc/self/task")) if sys.platform == "linux" else 1
bloomchats.Blooio(api_key="k")
print(threading.active_count(), tasks, len(set(os.listdir("/dev/fd")) - before), *opened)
"""
    assert run(program).stdout.split() == ["1", "1", "0"]

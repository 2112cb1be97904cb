"""Many calls: from many threads at once, and so many that a leak of one object a call could not hide."""

from __future__ import annotations

import sys
import threading

import pytest
from bloomchats import Blooio
from processes import run
from server import Server

GROWTH_KB = 2048
"""What a process may grow by after its first tenth of calls: of 200 000, 12 bytes for each of the others."""


def test_two_hundred_threads_share_a_client(server: Server) -> None:
    keys: list[str | None] = []
    start = threading.Barrier(200)
    with Blooio(api_key="k", base_url=server.url) as blooio:

        def work() -> None:
            start.wait(30)
            for _ in range(5):
                keys.append(blooio.v2.messages.with_response.send("+15551234567", text="x").idempotency_key)

        threads = [threading.Thread(target=work) for _ in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(set(keys)) == len(keys) == 1000
    assert sorted(map(str, keys)) == sorted(request.headers["idempotency-key"] for request in server.requests)


SYNCHRONOUS = """
for _ in range(100): client.v2.request("GET", "/x")
"""
ASYNCHRONOUS = """
loop.run_until_complete(asyncio.wait([loop.create_task(client.v2.request("GET", "/x")) for _ in range(100)]))
"""
CANCELLED = """
async def cancel():
    tasks = [loop.create_task(client.v2.request("GET", "/silence")) for _ in range(100)]
    await asyncio.sleep(0)
    for task in tasks: task.cancel()
    await asyncio.wait(tasks)
loop.run_until_complete(cancel())
"""
FAILING = """
for _ in range(100):
    try: client.v2.request("GET", "/..")
    except InvalidArgumentError: pass
"""
WATCHED = "logging.getLogger('bloomchats').setLevel('DEBUG')"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("calls", "kind", "hundred", "setup"),
    [
        (200_000, "scripted(Blooio, script)", SYNCHRONOUS, ""),
        (200_000, "scripted(AsyncBlooio, script)", ASYNCHRONOUS, ""),
        (20_000, "scripted(Blooio, script)", SYNCHRONOUS, WATCHED),
        (20_000, "scripted(AsyncBlooio, script)", ASYNCHRONOUS, WATCHED),
        (10_000, "Blooio(api_key='k', base_url=url)", SYNCHRONOUS, ""),
        (20_000, "AsyncBlooio(api_key='k', base_url=url)", ASYNCHRONOUS, ""),
        (30_000, "AsyncBlooio(api_key='k', base_url=url)", CANCELLED, ""),
        (20_000, "Blooio(api_key='k', base_url=url)", FAILING, ""),
    ],
    ids=["sync", "async", "watched sync", "watched async", "socket sync", "socket async", "cancelled", "refused"],
)
def test_memory_stays_as_it_is(calls: int, kind: str, hundred: str, setup: str) -> None:
    # The service is a process of its own, and as fast as a test can afford.
    program = f"""
import asyncio, ctypes, gc, logging, subprocess, sys
from bloomchats import AsyncBlooio, Blooio, InvalidArgumentError
from bloomchats.testing import scripted

service = subprocess.Popen([sys.executable, "-c", {SERVICE!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
url = f"http://127.0.0.1:{{int(service.stdout.readline())}}"
script = [{{"status": 200, "json": {{"ok": True}}}}] * 100
loop = asyncio.new_event_loop()
{setup}
trim = getattr(ctypes.CDLL(None), "malloc_trim", bool)

def resident_kb():
    gc.collect()
    trim(0)  # What is free and kept for later is no growth.
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))

scripts = {kind.startswith("scripted")}
client = {kind}
before, after = 0, []
for number in range({calls // 100}):
    if scripts: client = {kind}
{"".join(f"    {line}" + chr(10) for line in hundred.strip().splitlines())}
    if number < {calls // 1000}: before = max(before, resident_kb())
    if number >= {calls // 200}: after.append(resident_kb())
# The most of the first tenth and the least of the second half: a busy machine leaves things undone for a moment, a leak stays.
print(min(after) - before)
service.stdin.close()
"""
    done = run(program, 300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= GROWTH_KB


SERVICE = """
import asyncio, sys

class Answering(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data):
        if b"/silence" not in data:
            body = b"content-type: application/json\\r\\ncontent-length: 11\\r\\n\\r\\n" + b'{"ok":true}'
            self.transport.write(b"HTTP/1.1 200 OK\\r\\n" + body)

async def main():
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(Answering, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"""

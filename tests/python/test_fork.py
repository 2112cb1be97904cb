"""Forks, and everything that is made of them: the child works, and the parent does not notice."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from bloomchats import AsyncBlooio, Blooio, ConfigError
from processes import end_of, in_child, run, started
from server import Request, Server

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
]
PERSON = "+15551234567"


def test_a_child_uses_its_parents_client(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    assert blooio.v2.request("GET", "/parent")["ok"]

    def work() -> None:
        assert blooio.v2.request("GET", "/child")["ok"]
        assert Blooio(api_key="k", base_url=server.url).v2.request("GET", "/own")["ok"]

    assert in_child(work) == 0
    assert blooio.v2.request("GET", "/parent-again")["ok"]
    assert {request.target for request in server.requests} == {
        f"/v2/api/{name}" for name in ("parent", "child", "own", "parent-again")
    }


def test_children_of_children(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    blooio.v2.request("GET", "/x")

    def work() -> None:
        blooio.v2.request("GET", "/child")
        assert in_child(lambda: blooio.v2.request("GET", "/grandchild")) == 0

    assert in_child(work) == 0


def test_a_child_runs_loops_of_its_own(server: Server) -> None:
    blooio = AsyncBlooio(api_key="k", base_url=server.url)

    async def call() -> None:
        assert (await blooio.v2.request("GET", "/x"))["ok"]

    asyncio.run(call())
    assert in_child(lambda: asyncio.run(call())) == 0
    asyncio.run(call())


def test_fork_while_other_threads_are_calling(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            blooio.v2.request("GET", "/busy")

    def work() -> None:
        # If a thread was writing a log file at the fork, its buffer stays locked: a matter of Python's own.
        logging.disable()
        blooio.v2.request("GET", "/child")

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            assert in_child(work) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)


def test_a_child_that_drops_its_parents_calls_does_not_end_them() -> None:
    def late(_: Request) -> tuple[int, object]:
        time.sleep(0.5)
        return 200, {"ok": True}

    async def main() -> None:
        blooio = AsyncBlooio(api_key="k", base_url=server.url)
        tasks = [asyncio.ensure_future(blooio.v2.request("GET", "/x")) for _ in range(4)]
        await asyncio.to_thread(server.asked.wait, 5)

        def work() -> None:
            tasks.clear()
            gc.collect()

        assert in_child(work) == 0
        assert [answer["ok"] for answer in await asyncio.gather(*tasks)] == [True] * 4

    with Server(late) as server:
        asyncio.run(main())


def test_children_make_keys_of_their_own(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    blooio.v2.messages.send(PERSON, text="x")
    for _ in range(7):
        children = [started(lambda: blooio.v2.messages.send(PERSON, text="x")) for _ in range(8)]
        assert [end_of(child) for child in children] == [0] * 8
    assert len({request.headers["idempotency-key"] for request in server.requests}) == len(server.requests) == 57


def test_a_page_from_before_the_fork_says_so() -> None:
    def contacts(_: Request) -> tuple[int, object]:
        return 200, {"contacts": [{"contact_id": os.urandom(4).hex()}], "pagination": {"total": 9}}

    with Server(contacts) as server:
        page = Blooio(api_key="k", base_url=server.url).v2.contacts.with_response.list().value

        def work() -> None:
            with pytest.raises(ConfigError, match="fork"):
                page.next_page()

        assert in_child(work) == 0
        assert page.next_page() is not None


def test_ctrl_c_reaches_a_call_of_a_child_that_a_thread_forked(server: Server) -> None:
    """In the child, that thread is the main one, whose calls look for signals."""
    blooio = Blooio(api_key="k", base_url=server.url)
    blooio.v2.request("GET", "/x")
    children = list[int]()

    def work() -> None:
        with pytest.raises(KeyboardInterrupt):
            blooio.v2.request("GET", "/silence")

    thread = threading.Thread(target=lambda: children.append(started(work)))
    thread.start()
    thread.join()
    server.wait_for_requests(2)
    os.kill(children[0], signal.SIGINT)
    assert end_of(children[0]) == 0


def test_a_child_that_ends_like_any_program(server: Server) -> None:
    """It runs its interpreter down, with its parent's client and calls in its memory."""
    program = f"""
import os, threading
from bloomchats import Blooio
from processes import end_of
client = Blooio(api_key="k", base_url={server.url!r})
client.v2.request("GET", "/x")
threading.Thread(target=lambda: client.v2.request("GET", "/silence"), daemon=True).start()
for _ in range(50):
    child = os.fork()
    if child == 0:
        client.v2.request("GET", "/child")
        break
    assert end_of(child) == 0
"""
    done = run(program)
    assert (done.returncode, done.stderr) == (0, "")
    assert sum(request.target == "/v2/api/child" for request in server.requests) == 50


inherited: Blooio | None = None


def send_from_a_worker(url: str) -> tuple[int, str | None]:
    """Which process sent, and under which key. The parent's client is only there where workers are forked from it."""

    async def again() -> None:
        async with AsyncBlooio(api_key="k", base_url=url) as client:
            assert (await client.v2.request("GET", "/x"))["ok"]

    asyncio.run(again())
    blooio = inherited or Blooio(api_key="k", base_url=url)
    return os.getpid(), blooio.v2.messages.with_response.send(PERSON, text="x").idempotency_key


@pytest.fixture
def busy_parent(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The service's URL, after the parent has called it from a thread and a loop."""
    monkeypatch.setattr(sys.modules[__name__], "inherited", Blooio(api_key="k", base_url=server.url))
    send_from_a_worker(server.url)
    return server.url


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_pools_of_workers(busy_parent: str, method: str) -> None:
    context = multiprocessing.get_context(method)
    workers = 8 if method == "fork" else 2
    work = [busy_parent] * 4 * workers
    with context.Pool(workers) as pool:
        sent = pool.map(send_from_a_worker, work, chunksize=1)
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as executor:
        sent += executor.map(send_from_a_worker, work)
    assert os.getpid() not in {process for process, _ in sent}
    assert len({key for _, key in sent}) == len(sent) == 8 * workers
    assert send_from_a_worker(busy_parent)[0] == os.getpid()


@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_gunicorn_with_preloaded_application(server: Server, kind: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        f"""
from bloomchats import Blooio
blooio = Blooio(api_key="k", base_url={server.url!r})
def send(): return blooio.v2.messages.send({PERSON!r}, text="x").message_id.encode()
send()
def app(environ, start_response):
    start_response("200 OK", [])
    return [send()]
"""
    )
    (tmp_path / "conf.py").write_text("def post_worker_init(worker):\n    import shop\n    shop.send()\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "8", "--worker-class", kind, "--config"]
        command += ["conf.py", "--bind", f"fd://{listener.fileno()}", "shop:app"]
        with subprocess.Popen(
            command, cwd=tmp_path, pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True
        ) as gunicorn:
            server.wait_for_requests(9, 30)
            for _ in range(16):
                with urllib.request.urlopen(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=10) as answer:
                    assert answer.read() == b"m1"
            gunicorn.send_signal(signal.SIGTERM)
            _, log = gunicorn.communicate(timeout=20)
    assert gunicorn.returncode == 0, log
    assert "Traceback" not in log, log
    assert len({request.headers["idempotency-key"] for request in server.requests}) == len(server.requests) == 25

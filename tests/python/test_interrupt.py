"""Ctrl-C and other signals while a synchronous call is under way, or an event loop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from bloomchats import APITimeoutError, AsyncBlooio, Blooio, BloomChatsError
from bloomchats.testing import scripted
from conftest import SENT
from server import SILENCE, Reply, Request, Server
from test_cancel import assert_in_doubt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
PERSON = "+15551234567"

Scene = Callable[[str, Callable[[], None]], None]
"""Makes a call of the service at this URL that lasts; the service, or what it is given, says when."""


def silent_call(url: str, _: Callable[[], None]) -> None:
    Blooio(api_key="k", base_url=url).v2.request("POST", "/silence", body={})


def silent_call_of_a_client_with_a_callable(url: str, _: Callable[[], None]) -> None:
    Blooio(api_key=lambda: "k", base_url=url).v2.request("POST", "/silence", body={})


def in_the_callable(url: str, now: Callable[[], None]) -> None:
    def slow() -> str:
        now()
        time.sleep(20)
        return "k"

    Blooio(api_key=slow, base_url=url).v2.request("POST", "/x", body={})


def in_a_call_that_the_callable_makes(url: str, _: Callable[[], None]) -> None:
    vault = Blooio(api_key="k", base_url=url)
    key = lambda: str(vault.v2.request("GET", "/silence"))  # noqa: E731
    Blooio(api_key=key, base_url=url).v2.request("POST", "/x", body={})


def between_two_attempts(url: str, _: Callable[[], None]) -> None:
    Blooio(api_key="k", base_url=url).v2.request("GET", "/unavailable")


def on_an_event_loop(url: str, _: Callable[[], None]) -> None:
    asyncio.run(AsyncBlooio(api_key="k", base_url=url).v2.request("POST", "/silence", body={}))


@pytest.mark.parametrize(
    "scene",
    [
        silent_call,
        silent_call_of_a_client_with_a_callable,
        in_the_callable,
        in_a_call_that_the_callable_makes,
        between_two_attempts,
        on_an_event_loop,
    ],
)
def test_ctrl_c_ends_a_call_within_100_ms(scene: Scene) -> None:
    delays: list[float] = []
    with Server(_ok) as server:
        for number in range(50):
            delays.append(_press(scene, server, after=number / 1000))
        gc.collect()  # tracebacks hold clients, and these their idle connections
        server.wait_for_connections(0)
    # Half of them, as one may be late on a busy machine.
    assert statistics.median(delays) < 0.1, delays


def _ok(_: Request) -> Reply:
    return (202, SENT)


def _press(scene: Scene, server: Server, after: float) -> float:
    """Seconds from Ctrl-C to the exception. `after` makes each come at another moment between two looks for signals."""
    reached, pressed = threading.Event(), 0.0

    def reply(request: Request) -> Reply:
        if request.target.endswith("/x"):
            return (202, SENT)
        reached.set()
        return (503, {"retry_after": 30}) if request.target.endswith("unavailable") else SILENCE

    def press() -> None:
        nonlocal pressed
        reached.wait(10)
        time.sleep(after)
        pressed = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    server.reply = reply
    pressing = threading.Thread(target=press)
    pressing.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        scene(server.url, reached.set)
    delay = time.monotonic() - pressed
    pressing.join()
    if scene in (silent_call, silent_call_of_a_client_with_a_callable):
        assert_in_doubt(caught.value)
    elif scene is in_the_callable:
        assert cast("Any", caught.value).maybe_sent is False
    return delay


def test_ctrl_c_leaves_the_calls_of_other_threads_alone() -> None:
    with Server(_ok) as server:
        blooio, stop, failed = Blooio(api_key="k", base_url=server.url), threading.Event(), list[BaseException]()

        def busy() -> None:
            try:
                while not stop.is_set():
                    blooio.v2.request("GET", "/x")
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=busy, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(50):
                _press(silent_call, server, after=0)
        finally:
            stop.set()
        for thread in threads:
            thread.join(10)
        assert not failed


def signal_once_asked(server: Server) -> None:
    def work() -> None:
        server.asked.wait(5)
        os.kill(os.getpid(), signal.SIGUSR1)

    threading.Thread(target=work, daemon=True).start()


def test_a_signal_ends_a_synchronous_call_at_once(server: Server) -> None:
    class Stop(Exception):
        pass

    def handler(*_: object) -> None:
        raise Stop

    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        blooio = Blooio(api_key="k", base_url=server.url)
        signal_once_asked(server)
        with pytest.raises(Stop) as caught:
            blooio.v2.request("POST", "/silence", body={})
        assert server.hung_up.wait(5)
        assert_in_doubt(caught.value)
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_a_signal_handler_may_make_calls(server: Server) -> None:
    blooio = Blooio(api_key="k", base_url=server.url)
    told: list[Any] = []

    def handler(*_: object) -> None:
        told.append(blooio.v2.request("GET", "/from-the-handler")["ok"])

    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        signal_once_asked(server)
        with pytest.raises(APITimeoutError):
            blooio.v2.request("GET", "/silence", timeout=0.5, max_retries=0)
        assert told == [True]
    finally:
        signal.signal(signal.SIGUSR1, previous)


def _send(blooio: Blooio) -> None:
    blooio.v2.messages.send(PERSON, text="x")


def _send_with_response(blooio: Blooio) -> None:
    blooio.v2.messages.with_response.send(PERSON, text="x")


def _page(blooio: Blooio) -> None:
    blooio.v2.contacts.with_response.list()


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (_send, {"status": 202, "json": SENT}),
        (_send_with_response, {"status": 202, "json": SENT}),
        (_page, {"status": 200, "json": {"contacts": [{"contact_id": "c1"}]}}),
        (_send, {"status": 400, "json": {"error": "ApiError", "message": "no"}}),
    ],
)
def test_an_interrupt_after_the_answer_came_tells_of_the_call(call: Callable[[Blooio], None], answer: Any) -> None:
    """A handler that raises may be run wherever a function begins. Each such place of the package has its turn here; in others, as in
    `logging`, which takes a lock there, it would leave behind what is not ours to mend."""

    class Stop(BaseException):
        pass

    def interrupt(place: int) -> bool:
        """Whether the call went on as far as this place."""
        answered, passed = False, 0

        def profile(frame: Any, event: str, what: Any) -> None:
            nonlocal answered, passed
            if event == "c_return" and getattr(what, "__name__", "") == "end":
                answered = True
            elif answered and event == "call" and frame.f_globals.get("__name__", "").startswith("bloomchats"):
                passed += 1
                if passed == place:
                    sys.setprofile(None)
                    raise Stop

        sys.setprofile(profile)
        try:
            call(blooio)
        except Stop as error:
            assert hasattr(error, "maybe_sent") and hasattr(error, "idempotency_key"), place
            return True
        except BloomChatsError:
            return False
        finally:
            sys.setprofile(None)
        return False

    blooio = scripted(Blooio, [answer] * 50)
    places = 1
    while interrupt(places):
        places += 1
    assert places > 3

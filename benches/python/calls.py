"""What Python itself adds to a call: scripted calls, less the same calls made of the native module alone.

    python calls.py [ROUNDS]

Scripted answers cost the engine what others do, without a socket. `list` looks at one of a page's 100 items, `iterate` at each. Printed are microseconds a call, the least of the rounds, because
whatever else the machine does only adds.
"""

import asyncio
import json
import sys
import time

from bloomchats import AsyncBlooio, Blooio, _native
from bloomchats.testing import scripted

CALLS = {"send": 500, "list": 50, "iterate": 50}
CONTACT = {"contact_id": "con_01J8ZB3T5QH7", "identifier": "+15550000000", "name": "Jane Doe", "created_at": 1790000000000, "tags": []}
ANSWERS = {
    "send": {"status": 202, "json": {"message_id": "msg_01J8ZB3T5QH7", "status": "queued"}},
    "list": {
        "status": 200,
        "json": {"contacts": [CONTACT] * 100, "pagination": {"limit": 100, "offset": 0, "total": 100}},
    },
}
ANSWERS["iterate"] = ANSWERS["list"]
BELOW = {
    "send": ("blooio.v2.messages.send", {"chat": "grp_bench", "text": "Hello"}),
    "list": ("blooio.v2.contacts.list", {}),
}
BELOW["iterate"] = BELOW["list"]


def client(kind, what):
    return scripted(kind, [ANSWERS[what]] * CALLS[what])


def python_calls(what):
    v2 = client(Blooio, what).v2
    send = lambda: v2.messages.send("grp_bench", text="Hello").message_id
    contacts = lambda: next(v2.contacts.list().pages()).items[-1].identifier
    every_contact = lambda: [contact.identifier for contact in v2.contacts.list()]
    return timed({"send": send, "list": contacts, "iterate": every_contact}[what], CALLS[what])


def native_calls(what):
    native = client(Blooio, what)._connection.native
    operation, arguments = BELOW[what]
    call = lambda: native.make(False, False, operation, arguments, b"").go_on(True).text
    return timed(call, CALLS[what])


def async_calls(what):
    async def main():
        v2 = client(AsyncBlooio, what).v2

        async def send():
            return (await v2.messages.send("grp_bench", text="Hello")).message_id

        async def contacts():
            return (await anext(v2.contacts.list().pages())).items[-1].identifier

        async def every_contact():
            return [contact.identifier async for contact in v2.contacts.list()]

        call = {"send": send, "list": contacts, "iterate": every_contact}[what]
        begun = time.process_time_ns()
        for _ in range(CALLS[what]):
            await call()
        return (time.process_time_ns() - begun) / 1e3 / CALLS[what]

    return asyncio.run(main())


def native_async_calls(what):
    """The least that asyncio needs to hear of a completion: a future and a reader."""

    async def main():
        native = client(Blooio, what)._connection.native
        operation, arguments = BELOW[what]
        loop, queue, waiting = asyncio.get_running_loop(), _native.Queue(), []

        def drain():
            for _, answer in queue.drain():
                waiting.pop().set_result(answer)

        loop.add_reader(queue.fileno(), drain)
        begun = time.process_time_ns()
        for number in range(CALLS[what]):
            waiting.append(loop.create_future())
            pending = native.start(queue, number, False, operation, arguments, b"")
            (await waiting[0]).text
            del pending
        return (time.process_time_ns() - begun) / 1e3 / CALLS[what]

    return asyncio.run(main())


def timed(call, calls):
    begun = time.process_time_ns()
    for _ in range(calls):
        call()
    return (time.process_time_ns() - begun) / 1e3 / calls


def main(rounds):
    ways = {"sync": (python_calls, native_calls), "async": (async_calls, native_async_calls)}
    for way, measures in ways.items():
        for what in CALLS:
            times = [[measure(what) for _ in range(rounds)] for measure in measures]
            whole, below = map(min, times)
            print(f"{way} {what}: {whole:.1f} µs, {below:.1f} of them below Python, {whole - below:.1f} Python's own")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)

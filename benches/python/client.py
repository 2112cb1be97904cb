"""Runs one Python client: so many calls, so many at a time, and what they cost.

    python client.py CLIENT URL send|list CONCURRENCY CALLS

Prints one line of JSON: CPU time of the process, user and system, and wall time, both without start and warm-up, and the
latencies' median and 99th percentile. Every number that standard input then has is that of the calls of another part, which
prints another line. Synchronous clients run in as many threads, asynchronous ones in as many tasks of one
asyncio loop. Each opens one client and keeps its connections; those without typed models give plain JSON.
"""

import asyncio
import itertools
import json
import os
import socket
import sys
import threading
import time
import uuid

KEY, CHAT, MESSAGE = "bl_bench_key", "grp_bench", "msg_01J8ZB3T5QH7"
ROWS, LAST = 100, "+15550000099"
SEND, LIST = f"/v2/api/chats/{CHAT}/messages", "/v2/api/contacts"
BODY, PAGE = {"text": "Hello"}, {"limit": "100", "offset": "0"}
HEADERS = {"authorization": f"Bearer {KEY}", "accept": "application/json"}


def keyed():
    return {"idempotency-key": str(uuid.uuid4())}


def check_send(message):
    assert message == MESSAGE, message


def check_list(rows, last):
    assert rows == ROWS and last == LAST, (rows, last)


def check_json(answer):
    if "contacts" in answer:
        check_list(len(answer["contacts"]), answer["contacts"][-1]["identifier"])
    else:
        check_send(answer["message_id"])


def ours_sync(url):
    from bloomchats import Blooio

    client = Blooio(api_key=KEY, base_url=url)

    def send():
        check_send(client.v2.messages.send(CHAT, text="Hello").message_id)

    def contacts():
        page = next(client.v2.contacts.list().pages())
        check_list(len(page.items), page.items[-1].identifier)

    return send, contacts


def ours_async(url):
    from bloomchats import AsyncBlooio

    client = AsyncBlooio(api_key=KEY, base_url=url)

    async def send():
        check_send((await client.v2.messages.send(CHAT, text="Hello")).message_id)

    async def contacts():
        page = await anext(client.v2.contacts.list().pages())
        check_list(len(page.items), page.items[-1].identifier)

    return send, contacts


def blooio_sync(url):
    from blooio import Blooio

    client = Blooio(api_key=KEY, base_url=f"{url}/v2/api")

    def send():
        check_send(client.chats.messages.send(CHAT, text="Hello", idempotency_key=str(uuid.uuid4())).message_id)

    def contacts():
        rows = client.contacts.list(limit=100, offset=0).contacts
        check_list(len(rows), rows[-1].identifier)

    return send, contacts


def blooio_async(url):
    from blooio import AsyncBlooio

    client = AsyncBlooio(api_key=KEY, base_url=f"{url}/v2/api")

    async def send():
        key = str(uuid.uuid4())
        check_send((await client.chats.messages.send(CHAT, text="Hello", idempotency_key=key)).message_id)

    async def contacts():
        rows = (await client.contacts.list(limit=100, offset=0)).contacts
        check_list(len(rows), rows[-1].identifier)

    return send, contacts


def httpx_sync(url):
    import httpx

    client = httpx.Client(base_url=url, headers=HEADERS, limits=httpx.Limits(max_keepalive_connections=100))

    def send():
        check_json(client.post(SEND, json=BODY, headers=keyed()).raise_for_status().json())

    def contacts():
        check_json(client.get(LIST, params=PAGE).raise_for_status().json())

    return send, contacts


def httpx_async(url):
    import httpx

    client = httpx.AsyncClient(base_url=url, headers=HEADERS, limits=httpx.Limits(max_keepalive_connections=100))

    async def send():
        check_json((await client.post(SEND, json=BODY, headers=keyed())).raise_for_status().json())

    async def contacts():
        check_json((await client.get(LIST, params=PAGE)).raise_for_status().json())

    return send, contacts


def aiohttp_async(url):
    import aiohttp

    client = None

    def session():
        nonlocal client
        client = client or aiohttp.ClientSession(url, headers=HEADERS, raise_for_status=True)
        return client

    async def send():
        async with session().post(SEND, json=BODY, headers=keyed()) as response:
            check_json(await response.json())

    async def contacts():
        async with session().get(LIST, params=PAGE) as response:
            check_json(await response.json())

    return send, contacts


def pyreqwest_sync(url):
    from pyreqwest.client import SyncClientBuilder

    client = SyncClientBuilder().base_url(url).default_headers(HEADERS).error_for_status(True).build()

    def send():
        check_json(client.post(SEND).headers(keyed()).body_json(BODY).build().send().json())

    def contacts():
        check_json(client.get(LIST).query(PAGE).build().send().json())

    return send, contacts


def pyreqwest_async(url):
    from pyreqwest.client import ClientBuilder

    client = ClientBuilder().base_url(url).default_headers(HEADERS).error_for_status(True).build()

    async def send():
        check_json(await (await client.post(SEND).headers(keyed()).body_json(BODY).build().send()).json())

    async def contacts():
        check_json(await (await client.get(LIST).query(PAGE).build().send()).json())

    return send, contacts


class Bare:
    """No client at all: requests of fixed bytes, and answers of which only the length is read, as little as one does in Python itself."""

    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.address = host, int(port)

        def written(method, target, headers, body=""):
            lines = {"host": host, **headers, "content-length": len(body)}.items()
            return "\r\n".join([f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in lines), "", body]).encode()

        self.send = written("POST", SEND, {**HEADERS, **keyed(), "content-type": "application/json"}, json.dumps(BODY))
        self.list = written("GET", f"{LIST}?limit=100&offset=0", HEADERS)

    @staticmethod
    def begin(data):
        """What a first piece has of the body, and how long that is to become."""
        head, _, body = data.partition(b"\r\n\r\n")
        return body, int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


def sockets_sync(url):
    bare, own = Bare(url), threading.local()

    def answer(request):
        if not hasattr(own, "socket"):
            own.socket = socket.create_connection(bare.address)
            own.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own.socket.sendall(request)
        body, length = bare.begin(own.socket.recv(65536))
        while len(body) < length:
            body += own.socket.recv(65536)
        check_json(json.loads(body))

    return lambda: answer(bare.send), lambda: answer(bare.list)


def sockets_async(url):
    bare, idle = Bare(url), []

    class Answers(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

        def ask(self, request):
            self.body, self.answer = None, asyncio.get_running_loop().create_future()
            self.transport.write(request)
            return self.answer

        def data_received(self, data):
            if self.body is None:
                self.body, self.length = bare.begin(data)
            else:
                self.body += data
            if len(self.body) >= self.length:
                self.answer.set_result(self.body)

    async def answer(request):
        if idle:
            connection = idle.pop()
        else:
            _, connection = await asyncio.get_running_loop().create_connection(Answers, *bare.address)
        body = await connection.ask(request)
        idle.append(connection)
        check_json(json.loads(body))

    return lambda: answer(bare.send), lambda: answer(bare.list)


def in_threads(call, concurrency, calls):
    latencies, problems = [], []

    def work(share):
        mine = []
        try:
            for _ in range(share):
                begun = time.perf_counter_ns()
                call()
                mine.append(time.perf_counter_ns() - begun)
        except BaseException as problem:
            problems.append(problem)
        latencies.extend(mine)

    if concurrency == 1:
        work(calls)
    else:
        threads = [threading.Thread(target=work, args=(share,)) for share in shares(concurrency, calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if problems:
        raise problems[0]
    return latencies


async def in_tasks(call, concurrency, calls):
    latencies = []

    async def work(share):
        for _ in range(share):
            begun = time.perf_counter_ns()
            await call()
            latencies.append(time.perf_counter_ns() - begun)

    await asyncio.gather(*(work(share) for share in shares(concurrency, calls)))
    return latencies


def shares(concurrency, calls):
    return [calls // concurrency + (place < calls % concurrency) for place in range(concurrency)]


class Part:
    """Measures from when it is made until it tells."""

    def __init__(self):
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def tell(self, latencies):
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        latencies.sort()
        at = lambda share: latencies[(len(latencies) - 1) * share // 100] / 1e3
        cost = {"calls": len(latencies), "cpu_us": cpu * 1e6, "wall_us": wall * 1e6, "p50_us": at(50), "p99_us": at(99)}
        print(json.dumps(cost), flush=True)


def main(name, url, scenario, concurrency, calls):
    concurrency, calls = int(concurrency), int(calls)
    # First calls open connections, and before a later part what a call needs has left the processor's caches.
    warm_up = concurrency * 2
    parts = itertools.chain([calls], map(int, sys.stdin))

    def measure_sync():
        call = globals()[name](url)[scenario == "list"]
        for size in parts:
            in_threads(call, concurrency, warm_up)
            part = Part()
            part.tell(in_threads(call, concurrency, size))

    async def measure_async():
        call = globals()[name](url)[scenario == "list"]
        for size in parts:
            await in_tasks(call, concurrency, warm_up)
            part = Part()
            part.tell(await in_tasks(call, concurrency, size))

    if name.endswith("_sync"):
        measure_sync()
    else:
        asyncio.run(measure_async())
    if "LLVM_PROFILE_FILE" not in os.environ:  # code that counts what it runs writes that down at a regular end
        os._exit(0)  # how clients end is not measured, and some would complain that they were not closed


if __name__ == "__main__":
    main(*sys.argv[1:])

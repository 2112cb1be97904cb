"""How fast the sandbox starts and sends, how much it holds, how long its lists take then.

    cargo build --release -p bloomchats-cli && python3 benches/sandbox.py target/release/bloomchats [messages]

Sends go to 10 000 people over four connections. Linux only: CPU time and memory are read from /proc.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request

PEOPLE, CONNECTIONS, PIPELINED = 10_000, 4, 50
BODY = b'{"text":"Hello"}'
LISTS = [
    "/v2/api/chats?limit=200",
    "/v2/api/contacts?limit=200",
    "/v4/chats?limit=200",
    "/v4/contacts?limit=200&sort=name_asc",
    "/v4/events?limit=200",
]


def send(ready, first, count):
    host, port = ready["url"].removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    answers = connection.makefile("rb")
    head = f"host: localhost\r\nauthorization: Bearer {ready['blooio_api_key']}\r\ncontent-length: {len(BODY)}\r\n\r\n"
    for start in range(first, first + count, PIPELINED):
        batch = range(start, min(start + PIPELINED, first + count))
        people = (f"%2B1312{index % PEOPLE:07d}" for index in batch)
        requests = (f"POST /v2/api/chats/{one}/messages HTTP/1.1\r\n{head}".encode() + BODY for one in people)
        connection.sendall(b"".join(requests))
        for _ in batch:
            assert b" 202 " in answers.readline()
            length = 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answers.read(length)


def main(binary, messages=100_000):
    command = [binary, "sandbox", "--json", "--port", "0", "--stop-on-stdin-close"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        ready = json.loads(process.stdout.readline())
        print(f"ready in {ready['ready_ms']} ms")
        share = messages // CONNECTIONS
        threads = [threading.Thread(target=send, args=(ready, n * share, share)) for n in range(CONNECTIONS)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.monotonic() - begun
        with open(f"/proc/{process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        with open(f"/proc/{process.pid}/status") as status:
            memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024
        print(f"{messages / elapsed:.0f} sends/s, {messages / cpu:.0f} per second of CPU, {memory} MB afterwards")
        for path in LISTS:
            request = urllib.request.Request(ready["url"] + path)
            request.add_header("authorization", f"Bearer {ready['blooio_api_key']}")
            begun = time.monotonic()
            urllib.request.urlopen(request).read()
            print(f"{(time.monotonic() - begun) * 1000:.1f} ms  {path}")
        process.stdin.close()


main(sys.argv[1], *map(int, sys.argv[2:]))

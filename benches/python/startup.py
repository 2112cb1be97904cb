"""What a program costs that has imported a client, or, with the argument `bare`, one that has imported nothing.

Prints one line of JSON: CPU time since the process began in ms, its largest memory in MB, threads and sockets it has, how long the
first client takes with its API at hand, and the least time that a further one takes, both in ms.
"""

import sys

is_bare = sys.argv[1:] == ["bare"]
if not is_bare:
    # Not the package alone, which loads nothing before one of its names is used.
    from bloomchats import Blooio

import os
import time

cpu = time.process_time() * 1e3
with open("/proc/self/status") as status:
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1e3


def opening():
    begun = time.perf_counter()
    Blooio(api_key="bl_bench_key", base_url="http://127.0.0.1:9").v2
    return (time.perf_counter() - begun) * 1e3


first, further = (0.0, 0.0) if is_bare else (opening(), min(opening() for _ in range(20)))
files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
sockets = sum("socket:" in file for file in files)
threads = len(os.listdir("/proc/self/task"))
# Written by hand: `json` would be among what a bare program costs.
print(
    f'{{"cpu_ms": {cpu}, "memory_mb": {memory}, "threads": {threads}, "sockets": {sockets}, '
    f'"first_ms": {first}, "open_ms": {further}}}'
)

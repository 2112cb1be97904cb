"""What `import bloomchats` costs, or, with the argument `bare`, what a program costs that does not.

Prints one line of JSON: CPU time since the process began in ms, its largest memory in MB, threads and sockets it has, and the least
time that it takes to open a client after the first in ms.
"""

import json
import os
import resource
import sys
import time

if sys.argv[1:] != ["bare"]:
    import bloomchats

cpu = time.process_time() * 1e3
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def opening():
    begun = time.perf_counter()
    bloomchats.Blooio(api_key="bl_bench_key", base_url="http://127.0.0.1:9")
    return (time.perf_counter() - begun) * 1e3


times = [0.0] if sys.argv[1:] == ["bare"] else [opening() for _ in range(20)][1:]
files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
sockets = sum("socket:" in file for file in files)
threads = len(os.listdir("/proc/self/task"))
print(json.dumps({"cpu_ms": cpu, "memory_mb": memory, "threads": threads, "sockets": sockets, "open_ms": min(times)}))

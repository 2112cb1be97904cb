"""What waiting makes of the code that follows it on this machine.

    python cold.py

The same few lines of Python, again and again, and each time after a sleep of 0.2 ms, as a program does that waits for an answer: median CPU
time of those lines alone. Where the two differ much, a call made alone pays for every line of code it runs, whoever wrote it.
"""

import json
import statistics
import time
import urllib.parse


def work():
    text = json.dumps({"text": "Hello", "parts": [1, 2, 3], "chat": "grp"})
    urllib.parse.quote(json.loads(text)["chat"] + "/ä")
    sorted(text.split(",")), "%s-%r" % ("a", 1.5), float("1.25"), text.encode().hex()


def median_us(wait, rounds=5000):
    times = []
    for _ in range(rounds):
        wait()
        begun = time.thread_time_ns()
        work()
        times.append(time.thread_time_ns() - begun)
    return statistics.median(times) / 1e3


hot, cold = median_us(lambda: None), median_us(lambda: time.sleep(0.0002))
print(f"at once {hot:.1f} us, after a sleep {cold:.1f} us: {cold / hot:.1f} times as much")

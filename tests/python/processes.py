"""Children: forked ones that do some work, and programs of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

def in_child(work: Callable[[], object], seconds: float = 20) -> int:
    """Exit code of a forked child that does `work`: 0 when it came to its end."""
    return end_of(started(work), seconds)


def started(work: Callable[[], object]) -> int:
    """A forked child at `work`."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def end_of(child: int, seconds: float = 20) -> int:
    """A child's exit code; one that hangs is killed, and a failure."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


def run(program: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a program that may import what stands beside it here."""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )

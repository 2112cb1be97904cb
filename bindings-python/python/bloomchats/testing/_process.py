"""Where a sandbox comes from: one that runs, or a process of our own that ends when we do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import weakref
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

from bloomchats.testing._control import SandboxError

_HOW = (
    "install it with `pip install 'bloomchats[sandbox]'`, or put the `bloomchats` command on PATH, "
    "or name it in BLOOMCHATS_BIN, or name a running one in BLOOMCHATS_SANDBOX_URL"
)
_PATIENCE = 10.0
"""Seconds until it has to say where it is; some 10 ms are usual."""
_LONGEST = 64 * 1024
"""Bytes of a first line. What writes without end is no sandbox either."""


def find_program() -> str:
    """`BLOOMCHATS_BIN`, else what the package `bloomchats-sandbox` installed, else `bloomchats` on PATH."""
    named = os.environ.get("BLOOMCHATS_BIN")
    if named:
        return named
    for folder in _script_folders():
        program = shutil.which("bloomchats", path=folder)
        if program:
            return program
    raise SandboxError(f"there is no sandbox: {_HOW}")


def _script_folders() -> Iterator[str | None]:
    # Programs of an environment that is used without being activated are not on PATH.
    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", f"{os.name}_user")
    yield None


class Process:
    """A `bloomchats sandbox` that lives until it is stopped, forgotten, or this process ends, however that ends."""

    def __init__(self) -> None:
        program = find_program()
        command = [program, "sandbox", "--port", "0", "--json", "--stop-on-stdin-close"]
        try:
            # A session of its own: Ctrl-C is for the tests, which may still want the sandbox while they end.
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
            )
        except OSError as error:
            raise SandboxError(f"{program} cannot be started: {error.strerror}") from error
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None and stdout is not None
        self.stop = weakref.finalize(self, _stop, self._child, stdin)
        _parents_ends.add(stdin)
        line = _first_line(stdout)
        if line is None:
            _kill(self._child)
            self.stop()
            raise SandboxError(f"`{' '.join(command)}` said nothing for {_PATIENCE:g} s and was killed; for a sandbox, {_HOW}")
        try:
            told = json.loads(line)
            self.facts: dict[str, str] = {name: told[name] for name in ("url", "blooio_api_key", "bloomchats_api_key")}
        except (ValueError, LookupError, TypeError):
            self.stop()
            code = self._child.returncode
            raise SandboxError(f"{program} is no sandbox, or cannot start one (exit code {code}); {_HOW}") from None


def _first_line(stdout: IO[bytes]) -> bytes | None:
    """`None` when none comes in time. A thread reads it: not every system can wait for a pipe that long and no longer."""
    lines: SimpleQueue[bytes] = SimpleQueue()

    def read() -> None:
        with stdout:
            lines.put(stdout.readline(_LONGEST))

    Thread(target=read, daemon=True).start()
    try:
        return lines.get(timeout=_PATIENCE)
    except Empty:
        return None


def _kill(child: subprocess.Popen[bytes]) -> None:
    """And what it started: the program may be a script around another."""
    with suppress(ProcessLookupError, PermissionError):  # All of them have ended.
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _stop(child: subprocess.Popen[bytes], stdin: IO[bytes]) -> None:
    stdin.close()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        _kill(child)


_parents_ends: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()


def _let_go() -> None:
    """A forked child must not keep its parent's sandbox alive."""
    for stdin in _parents_ends:
        stdin.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)

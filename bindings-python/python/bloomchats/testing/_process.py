"""Where a sandbox comes from: one that runs, or a process of our own that ends when we do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
import weakref
from collections.abc import Iterator
from typing import IO, Any

from bloomchats.testing._control import SandboxError

_HOW = (
    "there is no sandbox: install it with `pip install 'bloomchats[sandbox]'`, or put the `bloomchats` command on PATH, "
    "or name it in BLOOMCHATS_BIN, or name a running one in BLOOMCHATS_SANDBOX_URL"
)


def find_program() -> str:
    """`BLOOMCHATS_BIN`, else what the package `bloomchats-sandbox` installed, else `bloomchats` on PATH."""
    named = os.environ.get("BLOOMCHATS_BIN")
    if named:
        return named
    for folder in _script_folders():
        program = shutil.which("bloomchats", path=folder)
        if program:
            return program
    raise SandboxError(_HOW)


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
        with stdout:
            line = stdout.readline()
        try:
            self.facts: dict[str, Any] = json.loads(line)
        except ValueError:
            self.stop()
            raise SandboxError(f"{program} is no sandbox, or cannot start one (exit code {self._child.returncode})") from None


def _stop(child: subprocess.Popen[bytes], stdin: IO[bytes]) -> None:
    stdin.close()
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


_parents_ends: weakref.WeakSet[IO[bytes]] = weakref.WeakSet()


def _let_go() -> None:
    """A forked child must not keep its parent's sandbox alive."""
    for stdin in _parents_ends:
        stdin.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)

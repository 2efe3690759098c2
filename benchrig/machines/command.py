"""Run a program on the controller: with a time limit, and with one line for a failure."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchrig.agent.text import last_line
from benchrig.errors import Hint, MachineError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


GONE_SECONDS = 5.0
"""Time in which a killed program and its children have closed their output."""


def run(
    argv: Sequence[str | Path],
    purpose: str,
    *,
    stdin: str = "",
    cwd: Path | None = None,
    timeout: float = 60.0,
    environ: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    hint: str | Hint = "",
) -> str:
    """Run a program and return its standard output.

    `purpose` begins the error message; `timeout` is in seconds; `environ` is added to our own environment. Raises
    MachineError when the program cannot be started, fails, or takes too long.
    """
    try:
        done = complete(argv, stdin=stdin, cwd=cwd, timeout=timeout, environ=environ, pass_fds=pass_fds)
    except MachineError as error:
        raise MachineError(f"{purpose}: {error}", hint) from None
    if done.returncode:
        reason = complaint(done.stderr + done.stdout) or f"{argv[0]} ended with exit code {done.returncode}"
        raise MachineError(f"{purpose}: {reason}", hint)
    return done.stdout


def complete(
    argv: Sequence[str | Path],
    *,
    stdin: str = "",
    cwd: Path | None = None,
    timeout: float = 60.0,
    environ: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a program whose exit code may be anything. Raises MachineError when it cannot be started or takes too long."""
    words = [str(word) for word in argv]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=cwd,
            env={**os.environ, "PATH": search_path(), "LC_ALL": "C.UTF-8", **(environ or {})},
            pass_fds=pass_fds,
        )
    except OSError as error:
        raise MachineError(f"{argv[0]}: {(error.strerror or str(error)).lower()}") from None
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise MachineError(f"{argv[0]} did not end within {timeout:.0f} s") from None
        except BaseException:
            _kill(process)
            raise
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


def _kill(process: subprocess.Popen[str]) -> None:
    """End a program, and wait until what it has started is gone too: until then, its files cannot be removed."""
    process.kill()
    with suppress(subprocess.TimeoutExpired, ValueError):
        process.communicate(timeout=GONE_SECONDS)


def search_path() -> str:
    """Return PATH with the folders of system programs, which the PATH of an ordinary user or of cron lacks."""
    return f"{os.environ.get('PATH', '')}:{PATH}".lstrip(":")


def complaint(text: str) -> str:
    """Return the line of a program's messages that says what went wrong.

    That is the first error of apt and similar programs, whose later errors follow from it; else the last line.
    """
    errors = [line.strip().removeprefix("E: ") for line in text.splitlines() if line.strip().startswith("E: ")]
    return errors[0] if errors else last_line(text)

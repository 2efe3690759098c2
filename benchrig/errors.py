"""Every error a user can meet, and the exit code it ends the program with.

An error says what is wrong and where, in one line, and in its hint what to do. Nothing here is ever shown as a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process ends with; docs/exit-codes.md says the same to users."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    NO_MACHINE = 4
    INTERRUPTED = 130


class BenchrigError(Exception):
    """Something the user has to know. `str()` is what is wrong; `hint` is what to do about it, or empty."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class HostError(BenchrigError):
    """A host cannot be reached, does not let us in, or shows another key than the pinned one."""

    exit_code = ExitCode.UNREACHABLE


class MachineError(BenchrigError):
    """A machine cannot be brought up, found or taken down."""

    exit_code = ExitCode.NO_MACHINE


@dataclass(frozen=True)
class Problem:
    """One mistake in the user's files: where (`file:line`), and what is wrong and allowed."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class InputError(BenchrigError):
    """A mistake in what the user typed or wrote; carries every problem found, not only the first."""

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, message: str = "", hint: str = "", problems: Sequence[Problem] = ()) -> None:
        # What several files share, such as a file of routes, is wrong in all of them, and told once.
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__(message or "\n".join(str(problem) for problem in self.problems), hint)


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which of the known names are nearest to a wrong one: `did you mean a, b? (known: …)`."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + (", ".join(names) if names else "none")


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name nobody knows: its kind, the name and the nearest valid ones."""
    return InputError(f"unknown {kind} '{name}'; {nearest(name, known)}")

"""What a module gets and returns: a Context of the host and the run, and a Result in Ansible's terms."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from ... import causes
from ..lookups import Bundle
from ..variables import Variables

T = TypeVar("T")


class ModuleError(Exception):
    """A module failed; `values` are what the failed task registers, such as `stderr`."""

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message)
        self.values = values


class NotYetKnownError(Exception):
    """In check mode, the effect of a task is unknown until an earlier task has run."""


@dataclass(frozen=True)
class Result:
    """What a module did, or would do."""

    changed: bool = False
    message: str = ""
    """What changed, or why not; Ansible's `msg`."""
    failed: bool = False
    skipped: bool = False
    diff: str = ""
    output: str = ""
    """Text to show to the user whatever the outcome."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What else a task registers."""
    set: Mapping[str, Any] = field(default_factory=dict)
    """Variables for the tasks after it."""
    opaque: bool = False
    """In check mode: the task was not run, and its effect is unknown."""
    makes: Sequence[str] = ()
    """What it creates (`path /etc/x`, `user benchrig`); check mode takes it as present in later tasks."""


@dataclass(frozen=True)
class Completed:
    """A program that has ended."""

    rc: int
    stdout: str
    stderr: str


class Promises:
    """In check mode: what earlier tasks would have created, and which task would."""

    def __init__(self) -> None:
        self._makers: dict[str, str] = {}
        self._opaque = ""

    def note(self, task: str, result: Result) -> None:
        """Record what a task would have created."""
        for thing in result.makes:
            self._makers.setdefault(thing, task)
        if result.opaque:
            self._opaque = task

    def maker(self, thing: str) -> str:
        """Return the task that would, or could, have created something; "" when none could."""
        return self._makers.get(thing, self._opaque)


class Context:
    """The host and the run, as a module sees them."""

    def __init__(
        self,
        bundle: Bundle,
        variables: Variables,
        before_slow: Callable[[], None],
        before_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.bundle = bundle
        self.variables = variables
        self.check = False
        """Check mode: change nothing."""
        self.diff = False
        """Show differences in detail."""
        self.promises = Promises()
        self._before_slow = before_slow
        self._before_change = before_change
        self._caches: dict[Callable[[], object], object] = {}

    def run(self, argv: Sequence[str] | str, *, stdin: str = "", cwd: str | None = None, shell: str = "") -> Completed:
        """Run a program, or a line for the shell that is named, to its end. Raises ModuleError when it cannot be started."""
        import subprocess

        self._before_slow()
        try:
            done = subprocess.run(
                argv,
                input=stdin.encode() if stdin else None,
                stdin=None if stdin else subprocess.DEVNULL,
                capture_output=True,
                cwd=cwd,
                shell=bool(shell),
                executable=shell or None,
                check=False,
            )
        except OSError as error:
            if cwd is not None and not Path(cwd).is_dir():
                raise ModuleError(f"the working folder {cwd} does not exist") from None
            name = argv if isinstance(argv, str) else argv[0]
            raise ModuleError(
                f"{name}: cannot be started: {(error.strerror or str(error)).lower()}", rc=error.errno
            ) from None
        return Completed(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def must(self, argv: Sequence[str], failure: str) -> Completed:
        """Run a program that must succeed. Raises ModuleError with the last line it wrote."""
        done = self.run(argv)
        if done.rc:
            reason = causes.line(done.stderr, done.stdout) or f"exit code {done.rc}"
            raise ModuleError(f"{failure}: {reason}", rc=done.rc, stdout=done.stdout, stderr=done.stderr)
        return done

    def slow(self) -> None:
        """Say that something slow begins."""
        self._before_slow()

    def changing(self) -> None:
        """Say that the host is changed next. Each module says so right before its first change, and not in check mode.

        The handlers that the task notifies are then on the disk. Raises ModuleError when they cannot be noted there.
        """
        self._before_change()

    def cache(self, kind: Callable[[], T]) -> T:
        """Return the one instance of a cache of the host's state, such as dpkg's packages."""
        if kind not in self._caches:
            self._caches[kind] = kind()
        return cast(T, self._caches[kind])

    def forget(self) -> None:
        """Drop what was read of the host's state, since something may have changed it."""
        self._caches.clear()

    def missing(self, thing: str, description: str) -> NoReturn:
        """End a task that needs something that does not exist. Raises ModuleError.

        In check mode, an earlier task may be the one that creates it; then the effect of this task is unknown: raises
        NotYetKnownError.
        """
        maker = self.promises.maker(thing) if self.check else ""
        if maker:
            raise NotYetKnownError(f"unknown until '{maker}' runs: {description}")
        raise ModuleError(description)


@contextmanager
def environment(variables: Mapping[str, Any]) -> Iterator[None]:
    """Set variables of the environment for what runs within."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def expand(path: str) -> str:
    """Return a path with `~` and variables replaced, as Ansible does for every path."""
    return os.path.expanduser(os.path.expandvars(path))  # noqa: PTH111 - a trailing slash has a meaning

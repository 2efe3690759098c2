"""Parser of `vagrant --machine-readable`: lines of `time,target,kind,data...`, with escapes of their own.

The format is the same since Vagrant 1.4. Versions differ only in kinds of lines that are not used here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ESCAPES = (("%!(VAGRANT_COMMA)", ","), ("\\n", "\n"), ("\\r", "\r"))


@dataclass(frozen=True)
class Line:
    """One line of Vagrant's output. `target` is the machine it is about, or empty."""

    target: str
    kind: str
    data: tuple[str, ...]

    @property
    def progress(self) -> str:
        """The line as progress for people: a message's first line, without the arrows and the machine's name before it."""
        if self.kind != "ui" or len(self.data) < 2 or self.data[0] == "error" or not self.data[1].strip():
            return ""
        text = self.data[1].strip().splitlines()[0].removeprefix("==>").strip()
        return text.removeprefix(f"{self.target}:").strip() if self.target else text


@dataclass(frozen=True)
class Login:
    """How one machine is reached, as `vagrant ssh-config` says."""

    address: str
    port: int
    user: str
    keys: tuple[Path, ...]


@dataclass(frozen=True)
class Failure:
    """Why Vagrant ended: the class of its error, such as `Vagrant::Errors::BoxNotFound`, without the modules; its text."""

    kind: str
    text: str


def parse(text: str) -> Line | None:
    """Return the fields of a line; None when it is not in the format, such as a line that a plugin prints."""
    fields = text.rstrip("\n").split(",")
    if len(fields) < 3 or not fields[0].isdecimal():
        return None
    return Line(fields[1], fields[2], tuple(map(_unescaped, fields[3:])))


def states(lines: Iterable[Line]) -> dict[str, str]:
    """Return the state of each machine by its name, such as `running`, `poweroff`, `not_created`."""
    return {line.target: line.data[0] for line in lines if line.kind == "state" and line.data}


def logins(lines: Iterable[Line]) -> dict[str, Login]:
    """Return how each machine is reached, by its name."""
    return {line.target: _login(line.data[0]) for line in lines if line.kind == "ssh-config" and line.data}


def failure(lines: Iterable[Line], stderr: str) -> Failure:
    """Return why Vagrant failed: its last error message, else the exception that ended it."""
    for line in lines:
        if line.kind == "error-exit" and len(line.data) > 1:
            return Failure(line.data[0].rpartition("::")[2], line.data[1])
    lines_of_stderr = [text.strip() for text in stderr.splitlines() if text.strip()]
    # A Ruby traceback has its reason in the first line, after the place.
    return Failure("", lines_of_stderr[0].rpartition("': ")[2] if lines_of_stderr else "")


def _login(text: str) -> Login:
    words = [(name, value) for name, _, value in (line.strip().partition(" ") for line in text.splitlines())]
    values: Mapping[str, str] = dict(words)
    keys = tuple(Path(_unquoted(value)) for name, value in words if name == "IdentityFile")
    port = values.get("Port", "22")
    # A login without an address is none, and what asks for it says so.
    address = values.get("HostName", "") if re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536 else ""
    return Login(address, int(port) if address else 22, values.get("User", ""), keys)


def _unquoted(value: str) -> str:
    try:
        return shlex.split(value)[0] if value.startswith('"') else value
    except ValueError:
        return value


def _unescaped(text: str) -> str:
    for escape, meant in ESCAPES:
        text = text.replace(escape, meant)
    return text

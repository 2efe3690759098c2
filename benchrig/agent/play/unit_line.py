"""Filter `unit_line`: a setting of a systemd unit as its line, with the value quoted as systemd.syntax(7) wants it.

The role `app` writes each value of a user through it, so that none can become a setting, a prefix, a specifier or a second
command. Ansible loads this very file from the role's `filter_plugins/`, so it imports nothing of benchrig.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

_NO_CHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + 0xFFFE) + chr(plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)
)

CONTROL = re.compile(f"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_NO_CHARACTERS}]")
"""Control characters but the tab, line separators, halves of characters, and code points that are no characters.

systemd ends a line or a value at some, and leaves out a value for others.
"""

_LONGEST_VALUE = (128 << 10) - 1
"""Bytes of an argument or of `NAME=value`; Linux starts no program with a longer one (MAX_ARG_STRLEN, with its end)."""

_LONGEST_LINE = (1 << 20) - 100
"""Bytes of a line of a unit, as systemd reads it (LONG_LINE_MAX), less those of the setting's name."""

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A name of an environment variable, as systemd takes it."""

_PROGRAM = re.compile(r"[A-Za-z0-9_/][^$]*")
"""A program's name or path. systemd reads `@ - : + ! |` before it as orders, of which `+` means to run as root."""

_DOLLAR = re.compile(r"\$(?!\{[A-Za-z_][A-Za-z0-9_]*\})")
"""A dollar sign that is not that of `${NAME}`."""

_FOLDER = re.compile(r"/[A-Za-z0-9_./-]+")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def unit_line(value: Any, key: str, programs: str = "") -> str:
    """Return `key=value` as a line of a unit; of a mapping of environment variables, a line for each.

    `programs` is the folder that `{bin}` stands for in a command. Raises ValueError for a value that cannot be written.
    """
    return _WRITERS[key](key, value, programs)


def words(command: str) -> list[str]:
    """Split a command as a shell does, without running anything. Raises ValueError with what is wrong with it."""
    line = command.strip(" \t\n")
    if CONTROL.search(line):
        raise ValueError(f"has {control(line)}; write it in one line")
    try:
        split = shlex.split(line)
    except ValueError:
        raise ValueError("has a quotation mark or a backslash without its end") from None
    if not split:
        raise ValueError("is empty")
    program = split[0].replace("{bin}", "/bin")
    if not _PROGRAM.fullmatch(program):
        raise ValueError(f"begins with '{split[0]}', which is not the name or path of a program")
    if "/" in program and not program.startswith("/"):
        raise ValueError(f"begins with '{split[0]}'; a path must begin with '/' or {{bin}}/")
    _written(split, "")
    return split


def too_long(value: str) -> str:
    """Return how long an argument, or `NAME=value`, is, in words; empty when a program can be started with it."""
    size = len(value.encode(errors="replace"))
    return f"{size:,} bytes; Linux takes {_LONGEST_VALUE:,} at most" if size > _LONGEST_VALUE else ""


def control(text: str) -> str:
    """Return what a text has that may stand in no unit, in words; empty when it has no such thing."""
    found = CONTROL.search(text)
    if not found:
        return ""
    if found[0] in "\n\r\u2028\u2029":
        return "a line break"
    return f"the control character U+{ord(found[0]):04X}" if found[0] < "\xa0" else f"U+{ord(found[0]):04X}, no character"


def _checked(key: str, value: Any) -> str:
    text = str(value)
    if found := control(text):
        raise ValueError(f"{key}: a value has {found}")
    return text


def _quoted(text: str) -> str:
    """Quote a word; specifiers (`%n`) and escapes are as they were written."""
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        text = text.replace(plain, written)
    return f'"{text}"'


def _text(key: str, value: Any, _programs: str) -> str:
    # systemd takes the rest of the line as it is, except for specifiers, and a backslash at its end.
    text = _checked(key, value).replace("%", "%%")
    return f"{key}={text} " if text.endswith("\\") else f"{key}={text}"


def _environment(key: str, value: Any, _programs: str) -> str:
    lines = []
    for name, one in value.items() if isinstance(value, Mapping) else {}:
        if not VARIABLE_NAME.fullmatch(str(name)):
            raise ValueError(f"{key}: '{name}' is not the name of an environment variable")
        both = f"{name}={_checked(key, one)}"
        if found := too_long(both):
            raise ValueError(f"{key}: '{name}' and its value have {found}")
        lines.append(f"{key}={_quoted(both)}")
    return "\n".join(lines)


def _command(key: str, value: Any, programs: str) -> str:
    try:
        return f"{key}={_written(words(str(value)), programs)}"
    except ValueError as error:
        raise ValueError(f"{key}: the command {error}") from None


def _written(split: list[str], programs: str) -> str:
    """Return a command as systemd reads it. Raises ValueError for what is too long."""
    expanded = [word.replace("{bin}", programs) for word in split]
    for word in expanded:
        if found := too_long(word):
            raise ValueError(f"has an argument of {found}")
    program, *arguments = map(_quoted, expanded)
    # `$NAME` would be split at blanks. `${NAME}` is a word's part, and is kept for the folders that systemd tells.
    line = " ".join([program, *(_DOLLAR.sub("$$", word) for word in arguments)])
    size = len(line.encode())
    if size > _LONGEST_LINE:
        raise ValueError(f"has {size:,} bytes as a line of a unit; systemd reads {_LONGEST_LINE:,} at most")
    return line


def _only(pattern: re.Pattern[str]) -> Callable[[str, Any, str], str]:
    """Return a writer of values that need no quotes, because nothing else is allowed in them."""

    def write(key: str, value: Any, _programs: str) -> str:
        if not pattern.fullmatch(str(value)):
            raise ValueError(f"{key}: '{value}' is not allowed here")
        return f"{key}={value}"

    return write


_WRITERS: dict[str, Callable[[str, Any, str], str]] = {
    "Description": _text,
    "Environment": _environment,
    "ExecStart": _command,
    "LimitNOFILE": _only(re.compile(r"\d+|infinity")),
    "RuntimeDirectory": _only(_WORD),
    "WorkingDirectory": _only(_FOLDER),
}
"""How the value of each setting is written."""


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return the filters by name."""
        return {"unit_line": unit_line}

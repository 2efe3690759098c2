"""The one place where a command becomes shell text. Everything sent to a remote shell is quoted here."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath


def quote(argv: Sequence[str | PurePath], env: Mapping[str, str] | None = None) -> str:
    """Return one line of POSIX shell that runs `argv`, with `env` set for it."""
    assigned = [f"{name}={shlex.quote(value)}" for name, value in sorted((env or {}).items())]
    return " ".join([*assigned, *(shlex.quote(str(word)) for word in argv)])

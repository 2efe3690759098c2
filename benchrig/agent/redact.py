"""Keeps secrets out of everything that leaves the host: wherever a secret's value stands in a text, stars stand instead."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping

from jinja2.runtime import Undefined

from .secret import STARS, is_secret

_SHORTEST = 4
"""A shorter value would be found by chance in other text."""


class Redactor:
    """Replaces known secrets in text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def learn(
        self,
        name: str,
        value: object,
        render: Callable[[object], object] = lambda value: value,
        *,
        no_log: bool = False,
    ) -> None:
        """Take in a variable: its value if its name says it is secret, and what lies in it under such names.

        `render` turns a secret that is a template into its value. What was made under `no_log` is hidden as well.
        """
        for secret in _secrets(value, is_secret(name)):
            self._take(str(render(secret)))
        if no_log:
            self.hide(value)

    def hide(self, value: object) -> None:
        """Take in what a task made under `no_log`: all of a variable that it set, what it said of a result."""
        for secret in _secrets(_said(value), True):
            self._take(str(secret))

    def _take(self, text: str) -> None:
        # A diff shows a text of several lines line by line, and `to_json` escapes quotes. Some end lines at more than \n.
        for part in (text, *text.split("\n"), *text.splitlines()):
            if len(part.strip()) >= _SHORTEST:
                self._secrets.update((part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]))

    def __call__(self, text: str) -> str:
        """Return the text with stars for secrets, the longest first."""
        if text:
            for secret in sorted(self._secrets, key=len, reverse=True):
                text = text.replace(secret, STARS)
        return text


def _secrets(value: object, secret: bool) -> Iterator[object]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(item, secret or is_secret(str(key)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets(item, secret)
    elif secret and value is not None and not isinstance(value, (bool, Undefined)):
        yield value


def _said(value: object) -> object:
    """Return of a task's result what the task read or printed, and anything else as it is.

    The rest of a result, such as its times and the name of the program, is no secret, and stars for it would hide much.
    """
    if not (isinstance(value, Mapping) and {"changed", "failed"} <= set(value)):
        return value
    said = [value[key] for key in ("stdout", "stderr", "content", "ansible_facts") if key in value]
    if value.get("encoding") == "base64":
        said.append(_decoded(value["content"]))
    return [*said, *map(_said, value.get("results", ()))]


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""

"""JSON that keeps YAML's keys: a mapping with keys that are not text (`80: http`) travels as a list of pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PAIRS = "__pairs__"


def dumps(value: Any) -> str:
    """Return a value as JSON text; what JSON has no form for, such as a date, as text."""
    return json.dumps(_plain(value), separators=(",", ":"), default=str)


def loads(text: str | bytes) -> Any:
    """Read what `dumps` wrote."""
    mark = _PAIRS if isinstance(text, str) else _PAIRS.encode()
    # Without such mappings, which are rare, the much faster way.
    return json.loads(text, object_hook=_mapping if mark in text else None)  # type: ignore[operator]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: _plain(item) for key, item in value.items()}
        return {_PAIRS: [[key, _plain(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _mapping(data: dict[str, Any]) -> dict[Any, Any]:
    return dict(data[_PAIRS]) if set(data) == {_PAIRS} else data

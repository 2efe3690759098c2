"""Variables given on the command line, over every other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchrig import reading
from benchrig.agent.text import short
from benchrig.errors import InputError


def parse_extra_vars(words: Sequence[str]) -> dict[str, Any]:
    """Read `name=value` pairs, whose values are text, and JSON objects. Raises InputError when a word is neither."""
    variables: dict[str, Any] = {}
    for word in words:
        if word.lstrip().startswith("{"):
            variables.update(_object(word))
            continue
        name, equals, value = word.partition("=")
        if not equals or not name.strip().isidentifier():
            raise InputError(f"--extra-vars '{short(word)}' is neither name=value nor a JSON object")
        variables[name.strip()] = value
    return variables


def _object(word: str) -> dict[str, Any]:
    try:
        data = reading.json_value(word)
    except reading.ReadError as error:
        raise InputError(f"--extra-vars '{short(word)}' is {error}") from None
    wrong = [name for name in data if not name.isidentifier()]
    if wrong:
        raise InputError(f"--extra-vars: '{short(wrong[0])}' is not a variable name")
    return dict(data)

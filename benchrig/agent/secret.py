"""Names of secrets: which variables, and words of a command line, are not to be shown."""

from __future__ import annotations

import re

STARS = "********"

SECRET_NAME = re.compile(r"password|passwd|passphrase|secret|token|api_key|private_key(?!_file)", re.IGNORECASE)
"""Variables with such names are secrets."""


def is_secret(name: str) -> bool:
    """Return whether a variable of this name is a secret."""
    return SECRET_NAME.search(name) is not None


def without_secrets(command_line: str) -> str:
    """Return a command line of `name=value` words with stars for each value whose name says that it is a secret."""
    return " ".join(_word(word) for word in command_line.split())


def _word(word: str) -> str:
    name, equals, _ = word.partition("=")
    return f"{name}={STARS}" if equals and is_secret(name) else word

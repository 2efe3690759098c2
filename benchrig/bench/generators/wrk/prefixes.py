"""What a log writes before each line: a number, a time, the name of a stream or a host. Only digits of it change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

_FEWEST = 3
"""Lines of a text with the same prefix: in two, it may be a word of a title."""

_LONGEST = 200
_BEGINS = re.compile(
    r"\bRunning \S{1,20} test @|\bThread Stats\b|\bLatency(?= {1,20}[-+\d]| Distribution)|\bReq/Sec(?= {1,20}[-+\d])|"
    r"\bSocket errors:|\bNon-2xx or 3xx|\bRequests/sec:|\bTransfer/sec:"
)
"""Beginnings of lines that wrk prints; before them stand only its own blanks."""

_PIECES = re.compile(r"\d+|\s+|[^\d\s]+")


def without_prefixes(lines: Sequence[str]) -> list[str]:
    """Return lines without the prefixes that those of a text have in common."""
    made = list(lines)
    for pattern, first, last in _prefixes(lines):
        prefix = re.compile(pattern)
        made[first : last + 1] = [prefix.sub("", line, count=1) for line in made[first : last + 1]]
    return made


def _prefixes(lines: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the prefix of lines in a row that begin likewise, as a pattern, and the first and the last of them."""
    found = (
        (number, _pattern(line[: match.start()])) for number, line in enumerate(lines) if (match := _BEGINS.search(line))
    )
    for pattern, together in groupby(found, key=lambda one: one[1]):
        numbers = [number for number, _ in together]
        if pattern and len(numbers) >= _FEWEST:
            yield pattern, numbers[0], numbers[-1]


def _pattern(prefix: str) -> str:
    """Return what a prefix matches: the same words with any digits; empty where it has neither letters nor digits."""
    prefix = prefix.rstrip()
    if len(prefix) > _LONGEST or not re.search(r"[^\W_]", prefix):
        return ""
    return r"^\s{0,200}" + "".join(map(_piece, _PIECES.findall(prefix.lstrip()))) + r"(?=\s|$)"


def _piece(piece: str) -> str:
    if piece.isspace():
        return r"\s{1,200}"
    return r"\d{1,40}" if piece.isdecimal() else re.escape(piece)

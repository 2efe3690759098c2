"""Figures as wrk, wrk2 and their forks print them, with their units."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from benchrig.agent.text import short
from benchrig.bench.generators.base import OutputError

Reader = Callable[[str], float | None]
"""Reads a word; None for `nan`. Raises OutputError."""

NUMBER = r"[-+]?(?:nan|inf|\d[\d,]{0,25}(?:\.\d{1,20})?)"

COUNT = r"(?:\d{1,3}(?:[ '’]\d{3}){1,8}|\d{1,3}(?:\.\d{3}){1,8}|\d(?:[\d,]{0,24}\d)?)(?![.,'’]?\d)"
"""A whole number, whose thousands may be apart; never a part of one."""

LARGE = r"\d{1,3}(?:[ '’]\d{3}){1,8}[.,]\d{1,20}"
"""A number with a fraction whose thousands are apart."""

_TIME = {"ns": 1e-3, "us": 1.0, "µs": 1.0, "μs": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
_COUNT = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_WORD = re.compile(rf"({LARGE}|{NUMBER})([A-Za-zµμ]*)")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WHOLE = re.compile(r"\d+|\d{1,3}(?:([ ,.'’])\d{3})(?:\1\d{3})*")


def microseconds(word: str) -> float | None:
    """Read a time as wrk prints it (`65.47ms`, `1.99s`, `559.62us`, `1.00m`) into microseconds; None for `nan`.

    Raises OutputError.
    """
    return _scaled(word, _TIME)


def count(word: str) -> float | None:
    """Read a count as wrk prints it (`575.99`, `1.08k`, `2.1M`, `1,024`); None for `nan`. Raises OutputError."""
    return _scaled(word, _COUNT)


def whole(word: str) -> int:
    """Read a whole number, perhaps with its thousands apart. Raises OutputError."""
    if not _WHOLE.fullmatch(word):
        raise OutputError(f"'{short(word)}' is not a number that wrk prints")
    return int(re.sub(r"\D", "", word))


def amount(word: str) -> float | None:
    """Read an amount as wrk prints it (`388.86KB`, `2.21MB`), in steps of 1024, into bytes. Raises OutputError."""
    return _scaled(word, {f"{unit}B": 1024.0**power for power, unit in enumerate(("", "K", "M", "G", "T", "P"))})


def percentile(word: str) -> str:
    """Return a percentile's name: `99` for `99`, `99.000` and `99.00`. Raises OutputError for none above 0 and up to 100."""
    value = _number(word)
    if not 0 < value <= 100:
        raise OutputError(f"'{short(word)}%' is no percentile")
    return f"{value:.7g}"


def _scaled(word: str, units: Mapping[str, float]) -> float | None:
    match = _WORD.fullmatch(word)
    # `1.2nan` has no match; `-nanus` has the unit `us`, and wrk2's `-nan` none.
    unit = match[2] if match else ""
    if match and "nan" in match[1].lower() and unit in ("", *units):
        return None
    if not match or unit not in units:
        raise OutputError(f"'{short(word)}' is not a figure that wrk prints")
    # Without the digits that binary fractions add: 2.01ms is 2010 us.
    return float(f"{_number(match[1]) * units[unit]:.15g}")


def _number(word: str) -> float:
    """Read a number with a point, or with a comma in place of it, or with commas between thousands."""
    if "inf" in word:
        raise OutputError(f"'{short(word)}' is not a figure that wrk prints")
    sign = -1 if word.startswith("-") else 1
    plain = re.sub(r"[ '’]", "", word.lstrip("+-"))
    if _THOUSANDS.fullmatch(plain):
        return sign * float(plain.replace(",", ""))
    try:
        return sign * float(plain.replace(",", "."))
    except ValueError:
        raise OutputError(f"'{short(word)}' is not a figure that wrk prints") from None

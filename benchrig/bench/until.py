"""What `bench --until 2% --at-most 30m` asks for: how precise each row is to become, and how long that may take."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchrig import yamlfile
from benchrig.agent.text import short
from benchrig.errors import InputError

LEAST_PERCENT = 0.1
"""No machine is as steady."""

MOST_PERCENT = 50.0
"""A row that is not known better is not known."""

AT_MOST = "30m"
"""How long measuring may take, unless the user says otherwise."""

LONGEST_SECONDS = 7 * 86_400
"""Of measuring: more is a slip of the finger."""


@dataclass(frozen=True)
class Until:
    """The goal of a bench that adds rounds until each row is precise enough."""

    percent: float
    """Each end of a row's interval is to be within so many percent of its median."""
    at_most_seconds: float
    """How long measuring may take."""


def read(until: str, at_most: str) -> Until | None:
    """Return what `--until` and `--at-most` ask for; None without `--until`. Raises InputError for what cannot be."""
    if not until:
        if at_most:
            raise InputError("--at-most needs --until, such as --until 2%")
        return None
    return Until(_percent(until), _seconds(at_most or AT_MOST))


def wrong_percent(value: float) -> str:
    """Return why an interval cannot be asked for; empty when it can."""
    return "" if LEAST_PERCENT <= value <= MOST_PERCENT else f"not between {LEAST_PERCENT:g}% and {MOST_PERCENT:g}%"


def wrong_seconds(value: float) -> str:
    """Return why measuring cannot take at most so long; empty when it can."""
    if value < 1:
        return "less than a second"
    return "longer than a week" if value > LONGEST_SECONDS else ""


def _percent(text: str) -> float:
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%", text.strip())
    if not found:
        # A number alone could be a share: 0.02 for 2 %.
        raise InputError(f"--until: '{short(text)}' is no percentage; write for example 2% or 0.5%")
    if wrong := wrong_percent(float(found[1])):
        raise InputError(f"--until: {short(text)} is {wrong}")
    return float(found[1])


def _seconds(text: str) -> float:
    try:
        # A number alone could be minutes.
        seconds = yamlfile.seconds(text if text.strip()[-1:].isalpha() else "")
    except ValueError:
        raise InputError(f"--at-most: '{short(text)}' is not a duration; write for example 90s, 30m or 2h") from None
    if wrong := wrong_seconds(seconds):
        raise InputError(f"--at-most: {short(text)} is {wrong}")
    return seconds

"""A chart: a drawing with what it says, how to read it, and its values as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

WIDE, NARROW = 720, 350
"""Widths of a drawing in pixels: for a screen and for print; for a phone."""


@dataclass(frozen=True)
class Chart:
    """A chart, ready to be shown. Its texts are plain text and are escaped where they are shown."""

    key: str
    """Names its file and its place in a page: `throughput`, `latency-go-2000`."""
    title: str
    """What it shows of these rows, as a sentence: the finding."""
    about: str
    """Says in words what the drawing shows, for those who cannot see it."""
    guide: str
    """How to read it: what its axes and signs mean."""
    wide: Markup
    narrow: Markup
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Its values as texts, with their units in the headings."""
    more: str = ""
    """Why it does not have all rows; empty where it does."""


def drawn(draw: Callable[[int], Markup]) -> tuple[Markup, Markup]:
    """Return a drawing in both widths."""
    return draw(WIDE), draw(NARROW)

"""A chart: a drawing with what it says, how to read it, and its values as a table."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from benchrig.language import punctuated

WIDE, NARROW = 720, 350
"""Widths of a drawing in pixels: for a screen and for print; for a phone."""

_LONGEST_SLUG = 80
"""Characters: a file's name has 255 bytes at most, and a title may be long."""


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
    is_tall: bool = False
    """Its narrow drawing is many times as high as a phone's screen, and is shown there when it is asked for."""
    folded: bool = False
    """It is one of many, and is shown when it is asked for."""

    def __post_init__(self) -> None:
        """Give its texts, which are put together of sentences and figures, the punctuation of the language in use."""
        for name in ("title", "about", "guide", "more"):
            object.__setattr__(self, name, punctuated(getattr(self, name)))


def drawn(draw: Callable[[int], Markup]) -> tuple[Markup, Markup]:
    """Return a drawing in both widths."""
    return draw(WIDE), draw(NARROW)


def slugs(names: Iterable[str]) -> list[str]:
    """Return a name of a file for each of these, which is a name within a page, too: different ones, also in small letters.

    They have letters and digits of ASCII and hyphens, and begin with a letter or a digit. Where the same is left of two
    names, the second one ends with a number.
    """
    taken: set[str] = set()
    found = []
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
        slug = base = re.sub(r"[^A-Za-z0-9]+", "-", plain)[:_LONGEST_SLUG].strip("-") or "row"
        number = 1
        while slug.lower() in taken:
            number += 1
            slug = f"{base}-{number}"
        taken.add(slug.lower())
        found.append(slug)
    return found

"""SVG as text: elements whose attributes and texts are escaped, and the rules that colour them.

A drawing has no colours of its own. Its elements have classes, and `charts.css` colours them: in a page with the page's
light or dark scheme, in a file with the colours of one scheme within it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from markupsafe import Markup, escape
from wcwidth import wcwidth

from benchrig.console import printable
from benchrig.report.charts import palette

Scheme = Literal["page", "light", "dark"]
"""Where a drawing is shown: in a page, which has variables for its colours, or in a file on a light or a dark ground."""

FONT_SIZE = 12.0
"""Of labels, in pixels."""

SMALL = 11.0
"""Of ticks and titles of axes, which have the class `small`. Nothing is smaller."""

STRONG = 1.1
"""How much wider strong text is, at most."""

ELLIPSIS = "…"

_WIDTHS = {
    **dict.fromkeys("iljI.,:;'|! ", 0.34),
    **dict.fromkeys('frt()[]/\\"-', 0.42),
    **dict.fromkeys("mwMW@%—…", 1.0),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", 0.74),
    **dict.fromkeys("+<>=~#×≈", 0.84),
}
"""Widths of characters in units of the font's size: those of DejaVu Sans, the widest of the fonts in use, rounded up."""

_OTHER_WIDTH = 0.64

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML may have, not even escaped."""


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Return an element. A child that is no Markup is text and is escaped.

    `class_` stands for `class`, and `_` within a name for `-`; numbers are written with one decimal at most. An attribute
    that is None is left out.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _value(value))
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(child if isinstance(child, Markup) else escape(_shown(child)) for child in children)
    return Markup("<{0}{1}>{2}</{0}>" if inner else "<{0}{1}/>").format(Markup(name), written, inner)


def group(children: Iterable[str], **attributes: object) -> Markup:
    """Return a group of elements."""
    return element("g", *children, **attributes)


def text(x: float, y: float, said: str, class_: str = "", anchor: str = "") -> Markup:
    """Return a line of text with its baseline at y; `anchor` is middle or end, of one that is not to the right of x.

    Of a class `small`, the font's size is SMALL, else FONT_SIZE.
    """
    return element("text", said, x=x, y=y, class_=class_ or None, text_anchor=anchor or None)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Return a line through points; it is shorter as text than their coordinates, because only their distances are in it."""
    return paths([points], class_)


def paths(lines: Iterable[Iterable[tuple[float, float]]], class_: str) -> Markup:
    """Return several lines as one element."""
    return element("path", d="".join(map(_steps, lines)), class_=class_)


def _steps(points: Iterable[tuple[float, float]]) -> str:
    steps: list[str] = []
    at = (0, 0)
    for x, y in points:
        here = (round(x * 10), round(y * 10))
        steps += [_short(here[0] - at[0]), _short(here[1] - at[1])]
        at = here
    first, rest = " ".join(steps[:2]), " ".join(steps[2:]).replace(" -", "-")
    return f"M{first}l{rest}" if rest else f"M{first}"


def drawing(children: Iterable[str], width: float, height: float) -> Markup:
    """Return a drawing of this size. It is hidden from screen readers: the chart's text and table stand for it."""
    size = {"viewBox": f"0 0 {_value(width)} {_value(height)}", "width": width, "height": height}
    return element("svg", *children, class_="chart-svg", **size, xmlns="http://www.w3.org/2000/svg", aria_hidden="true")


def text_width(said: str, size: float = FONT_SIZE) -> float:
    """Return how wide a text is at most, in pixels, in the fonts that drawings use."""
    return size * sum(map(_character_width, _shown(said)))


def shortened(said: str, width: float, size: float = FONT_SIZE, of_end: float = 1 / 3) -> str:
    """Return a text that is no wider than this: itself, or its beginning and end around an ellipsis.

    The end is kept because names of rows often differ there alone: `go-2000`, `go-20000`. `of_end` is its share of what is
    kept.
    """
    if text_width(said, size) <= width:
        return said
    for kept in range(len(said) - 1, 0, -1):
        end = int(kept * of_end)
        short = f"{said[: kept - end].rstrip()}{ELLIPSIS}{said[len(said) - end :].lstrip()}"
        if text_width(short, size) <= width:
            return short
    return ELLIPSIS


@cache
def style(scheme: Scheme = "page") -> str:
    """Return the rules that colour drawings: with variables for a page, else with the colours of one scheme in their place.

    The rules of a file have no variables, because what turns SVG into PNG does not know them.
    """
    rules = Path(__file__).with_name("charts.css").read_text(encoding="utf-8")
    if scheme == "page":
        return palette.rules_of_series() + rules
    colours = palette.DARK if scheme == "dark" else palette.LIGHT
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: colours[found[1]], rules)


def _character_width(character: str) -> float:
    known = _WIDTHS.get(character)
    return known or {0: 0.0, 2: 1.05}.get(wcwidth(character), _OTHER_WIDTH)


def _shown(said: str) -> str:
    """Return a text with each character that shows nothing, or that no XML may have, as something to see."""
    return _NOT_XML.sub("\ufffd", printable(said))


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return _shown(str(value))


def _short(tenths: int) -> str:
    return f"{tenths / 10:g}"

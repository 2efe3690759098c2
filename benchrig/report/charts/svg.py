"""SVG as text: elements whose attributes and texts are escaped, and a drawing as a file of its own.

A drawing has no colours of its own. Its elements have classes, and `charts.css` colours them: in a page with the page's
light or dark scheme, in a file with the same rules within it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape
from wcwidth import wcswidth

FONT_SIZE = 12.0

_CHARACTER_WIDTH = 0.56
"""Of a character in a sans-serif font, in units of the font's size: about the mean of Latin text."""


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
    inner = Markup("").join(map(escape, children))
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inner)


def group(children: Iterable[str], **attributes: object) -> Markup:
    """Return a group of elements."""
    return element("g", *children, **attributes)


def text(x: float, y: float, said: str, class_: str = "", anchor: str = "") -> Markup:
    """Return a line of text with its baseline at y; `anchor` is middle or end, of one that is not to the right of x."""
    return element("text", said, x=x, y=y, class_=class_ or None, text_anchor=anchor or None)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points: Iterable[tuple[float, float]], class_: str) -> Markup:
    """Return a line through points; it is shorter as text than their coordinates, because only their distances are in it."""
    steps: list[str] = []
    at = (0, 0)
    for x, y in points:
        here = (round(x * 10), round(y * 10))
        step = f"{_short(here[0] - at[0])} {_short(here[1] - at[1])}"
        steps.append(f"{'l' if steps else 'M'}{step}")
        at = here
    return element("path", d="".join(steps), class_=class_)


def drawing(children: Iterable[str], width: float, height: float) -> Markup:
    """Return a drawing of this size. It is hidden from screen readers: the chart's text and table stand for it."""
    size = {"viewBox": f"0 0 {_value(width)} {_value(height)}", "width": width, "height": height}
    return element("svg", *children, class_="chart-svg", **size, xmlns="http://www.w3.org/2000/svg", aria_hidden="true")


def text_width(said: str, size: float = FONT_SIZE) -> float:
    """Return about how wide a text is; a wide character, such as a Chinese one, counts twice."""
    return max(wcswidth(said), 0) * _CHARACTER_WIDTH * size


@cache
def style() -> str:
    """Return the rules that colour drawings."""
    return Path(__file__).with_name("charts.css").read_text(encoding="utf-8")


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)


def _short(tenths: int) -> str:
    return f"{tenths / 10:g}"

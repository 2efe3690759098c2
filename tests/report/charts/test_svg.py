"""SVG: what is written is well-formed, escaped, and coloured in a page and in a file."""

from __future__ import annotations

import math
import operator
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchrig.report import charts
from benchrig.report.charts import palette, svg
from tests.support.drawings import read

HOSTILE = """</text><script>alert(1)</script>"'&amp;]]>{{ 7 }}\x00\x1b[31m\ud800\ufffe"""


def test_texts_and_attributes_are_escaped_and_well_formed() -> None:
    drawing = svg.drawing([svg.text(1, 20, HOSTILE), svg.line(0, 0, 1, 1, HOSTILE)], 720, 40)
    root = ElementTree.fromstring(drawing)
    assert [element.tag.rpartition("}")[2] for element in root] == ["text", "line"]
    assert "</text><script>alert(1)</script>" in (root[0].text or "")
    str(drawing).encode()


def test_numbers_have_one_decimal_at_most() -> None:
    assert str(svg.line(1.0, 2.25, 3.14159, 4, "axis")) == '<line x1="1" y1="2.2" x2="3.1" y2="4" class="axis"/>'


def test_a_path_goes_through_its_points() -> None:
    points = [(0.04, 1.0), (10.06, 2.0), (1234.5678, 0.0), (5.0, 300.0)]
    drawing = read(svg.drawing([svg.path(points, "course")], 2000, 400))
    assert (drawing.marks[0].left, drawing.marks[0].right) == (0, 1234.6)
    assert (drawing.marks[0].top, drawing.marks[0].bottom) == (0, 300)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_rules_of_a_file_have_no_variables(scheme: svg.Scheme) -> None:
    assert "var(" not in svg.style(scheme)
    assert "--" not in svg.style(scheme)
    assert "var(--series-8)" in svg.style()
    assert svg.style("dark") != svg.style("light")


def test_the_colours_of_files_are_those_of_the_page() -> None:
    page = Path(charts.__file__).parents[1] / "page" / "page.css"
    found = re.findall(r"--([a-z0-9-]+): *(#[0-9a-f]+)", page.read_text(encoding="utf-8"))
    schemes = [dict(reversed(found)), dict(found)]
    for colours, mine in zip(schemes, (palette.LIGHT, palette.DARK), strict=True):
        shared = {name: colour for name, colour in mine.items() if not name.startswith("series-")}
        assert {name: colours[name] for name in shared} == shared


@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_marks_contrast_with_the_ground(colours: dict[str, str]) -> None:
    ground = _luminance(colours["ground"])
    for name, colour in colours.items():
        if name not in ("ground", "line"):
            least = 4.5 if name in ("ink", "faint", "good", "bad", "doubtful", "untested") else 3.0
            assert _contrast(ground, _luminance(colour)) >= least, name


_SEEN = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""What is seen of linear red, green and blue by those who lack a kind of cones: G. M. Machado, M. M. Oliveira and L. A. F.
Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE Transactions on Visualization and
Computer Graphics 15 (2009)."""


@pytest.mark.parametrize("seen", _SEEN.values(), ids=_SEEN)
@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_series_have_colours_that_the_colour_blind_tell_apart(
    colours: dict[str, str], seen: tuple[tuple[float, ...], ...]
) -> None:
    found = [_lab(colours[f"series-{n}"], seen) for n in range(1, palette.SERIES + 1)]
    # A distance of 2 is just seen, side by side.
    assert min(math.dist(one, other) for one, other in combinations(found, 2)) > 20


def _lab(colour: str, seen: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """Return the place of a colour in CIELAB, where distances are about as large as they look."""
    linear = _linear(colour)
    red, green, blue = (min(1.0, max(0.0, sum(map(operator.mul, row, linear)))) for row in seen)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _linear(colour: str) -> list[float]:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)

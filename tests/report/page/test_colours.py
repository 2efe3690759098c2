"""The colours of a page have the contrast that WCAG 2.2 asks for at level AA, in the light and in the dark scheme."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchrig.report import page
from benchrig.report.charts import palette, svg

STYLE = (Path(page.__file__).with_name("page.css")).read_text(encoding="utf-8")

TEXTS = [
    *((ink, ground) for ink in ("ink", "faint", "mark", "bad", "good", "doubtful") for ground in ("ground", "raised")),
    *((name, f"{name}-ground") for name in ("good", "bad", "doubtful", "untested")),
]
"""Colours of texts on those that they stand on."""


def schemes() -> Mapping[str, Mapping[str, str]]:
    """Return the colours of each scheme by name."""
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.S)
    )
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2.2 defines it: 1 to 21."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_contrast_of_21() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXTS)
def test_texts_have_enough_contrast(scheme: str, ink: str, ground: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("drawn", ["mark", "faint", "good", "bad", "doubtful"])
def test_what_is_drawn_has_enough_contrast(scheme: str, drawn: str) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[drawn], colours["ground"]) >= 3


def test_both_schemes_have_the_same_colours() -> None:
    assert schemes()["light"].keys() == schemes()["dark"].keys()


def test_no_rule_uses_a_colour_that_no_scheme_has() -> None:
    folder = Path(page.__file__).parent
    rules = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.css")) + svg.style()
    assert set(re.findall(r"var\(--([a-z0-9-]+)", rules)) <= {*schemes()["light"], *palette.LIGHT}


def test_charts_in_files_have_the_colours_of_the_page() -> None:
    for name, colours in schemes().items():
        drawn = palette.LIGHT if name == "light" else palette.DARK
        assert {colour: drawn.get(colour, value) for colour, value in colours.items()} == colours


def test_only_the_schemes_name_colours() -> None:
    """All other rules use the names, so that each follows the scheme; fallbacks are for charts in files of their own."""
    folder = Path(page.__file__).parent
    rules = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.css"))
    others = re.sub(r":root \{.*?\}|var\([^)]*\)", "", rules, flags=re.S)
    assert re.findall(r"#[0-9a-f]{3,8}\b", others) == []


def test_the_dark_scheme_is_for_screens_alone() -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in STYLE
    rules = STYLE + svg.style()
    assert rules.count("prefers-color-scheme: dark") == rules.count("@media screen and (prefers-color-scheme: dark)")

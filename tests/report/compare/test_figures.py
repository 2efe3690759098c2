"""The figures of a comparison: rounded to their intervals, marked where those are assumed, and an article's as printed."""

from __future__ import annotations

from benchrig.report import load
from benchrig.report.compare import compare
from benchrig.report.compare.markdown import render as render_markdown
from benchrig.report.compare.terminal import render as render_terminal
from tests.support.comparing import OTHER_SPREAD, SPREAD, measured
from tests.support.reports import ROOT, a_report

ASSUMED = "of 3 to 5 repeats: the interval holds if the logarithms of the values are normally distributed."


def test_figures_have_the_digits_of_their_intervals_in_every_form() -> None:
    comparison = compare([measured(SPREAD), measured(OTHER_SPREAD)])
    for text in (render_terminal(comparison).text, render_markdown(comparison)):
        assert "19,200 ±1.9%" in text
        assert "normally distributed" not in text


def test_an_interval_of_few_repeats_is_marked_and_the_mark_is_explained() -> None:
    comparison = compare([measured(SPREAD[:5]), measured(OTHER_SPREAD)])
    terminal, markdown = " ".join(render_terminal(comparison).text.split()), render_markdown(comparison)
    for text, mark in ((terminal, "*"), (markdown, r"\*")):
        assert f"19,200 ±1.9%{mark} " in text
        assert f"{mark} {ASSUMED}" in text


def test_an_articles_figures_stand_as_it_printed_them_beside_rounded_ones() -> None:
    comparison = compare([load("web-frameworks", ROOT), a_report("go-2000")])
    for text in (render_terminal(comparison).text, render_markdown(comparison)):
        assert "19,643.94" in text
        assert "19,200.00" not in text

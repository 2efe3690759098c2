"""Charts as files: each as SVG, which stands alone, and as PNG."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from benchrig import files
from benchrig.errors import BenchrigError, InputError
from benchrig.report.charts import fonts, svg
from benchrig.report.charts.chart import WIDE, Chart, slugs

ZOOM = 2
"""Pixels of a PNG for each pixel of its drawing: enough for a screen with twice the density, and for print."""

_MARGIN = 16.0
_TITLE_SIZE, _TITLE_LINE = 15.0, 20.0
_RULES = ".heading { font-size: 15px; font-weight: 600; }"

_SIZE = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


def write(found: Sequence[Chart], folder: Path) -> Iterator[Path]:
    """Write charts into a folder, which is made if it is missing; yield the path of each file.

    A file is named after its chart, and one of that name is replaced. First all are written as SVG, then as PNG. Raises
    InputError where there is no chart, or a file cannot be written, and BenchrigError where a font is missing and cannot be
    installed.
    """
    if not found:
        raise InputError("there is no chart to write: no row has figures")
    paths = [folder / name for name in slugs(chart.key for chart in found)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for chart, path in zip(found, paths, strict=True):
            yield _written(path, ".svg", as_svg(chart))
        for chart, path in zip(found, paths, strict=True):
            yield _written(path, ".png", as_png(chart))
    except OSError as error:
        what = error.strerror or str(error)
        raise InputError(f"{error.filename or folder}: charts cannot be written here: {what}") from None


def as_svg(chart: Chart) -> str:
    """Return a chart as an SVG document with its title in it, in the reader's light or dark colours."""
    light, dark = svg.style("light"), svg.style("dark")
    rules = f"\n{light}{_RULES}\n@media (prefers-color-scheme: dark) {{\n{dark}}}\n"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_document(chart, rules)}\n'


def as_png(chart: Chart) -> bytes:
    """Return a chart as a picture on white ground. Raises BenchrigError where a font is missing and cannot be installed."""
    # Only a chart as PNG needs it, and it takes a while to load.
    import resvg_py

    drawing = _document(chart, f"{svg.style('light')}{_RULES}")
    found = fonts.find(drawing)
    try:
        return resvg_py.svg_to_bytes(
            svg_string=drawing,
            background="#ffffff",
            zoom=ZOOM,
            skip_system_fonts=True,
            font_files=[str(path) for path in found],
            font_family=fonts.FAMILY,
            sans_serif_family=fonts.FAMILY,
        )
    except ValueError as error:
        raise BenchrigError(f"the chart {chart.key} cannot be made a PNG: {error}") from None


def _written(path: Path, ending: str, content: str | bytes) -> Path:
    # A name may have a dot, which is none of its ending.
    file = path.with_name(f"{path.name}{ending}")
    files.write(file, content)
    return file


def _document(chart: Chart, rules: str) -> Markup:
    """Return a chart's wide drawing below its title, as a drawing of its own with these rules."""
    size = _SIZE.search(chart.wide)
    inner = chart.wide.partition(">")[2].removesuffix("</svg>")
    width, height = (float(size[1]), float(size[2])) if size else (float(WIDE), 0.0)
    lines = _wrapped(chart.title, width)
    top = _MARGIN + _TITLE_LINE * len(lines)
    full, tall = width + 2 * _MARGIN, height + top + _MARGIN
    return svg.element(
        "svg",
        svg.element("title", chart.title),
        svg.element("desc", chart.about),
        svg.element("style", Markup(rules)),
        svg.element("rect", width=full, height=tall, class_="ground"),
        *(svg.text(_MARGIN, _MARGIN + _TITLE_LINE * number + 12, line, "heading") for number, line in enumerate(lines)),
        svg.group([Markup(inner)], transform=f"translate({_MARGIN:g} {top:g})"),
        xmlns="http://www.w3.org/2000/svg",
        **{"viewBox": f"0 0 {full:g} {tall:g}"},
        width=full,
        height=tall,
        class_="chart-svg",
        role="img",
    )


def _wrapped(said: str, width: float) -> Sequence[str]:
    """Return a strong text in lines of this width; a word that is wider is cut."""
    size = svg.STRONG * _TITLE_SIZE
    lines: list[str] = []
    for word in re.findall(r"\S+\s*", said):
        longer = f"{lines[-1]} {word.rstrip()}" if lines else ""
        if longer and svg.text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(svg.shortened(word.rstrip(), width, size))
    return lines

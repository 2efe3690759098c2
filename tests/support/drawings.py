"""Looks into drawings as a reader does: what is outside of them, which texts cover each other, which classes they use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from benchrig.report.charts import svg
from benchrig.report.charts.chart import Chart

_SPACE = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Mark:
    """An element of a drawing with the box that it fills."""

    name: str
    classes: tuple[str, ...]
    said: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def x(self) -> float:
        """Its middle."""
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        """Its middle."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Drawing:
    """A drawing, read from its text: it is well-formed XML, or reading it fails."""

    width: float
    height: float
    marks: tuple[Mark, ...]

    def of(self, *classes: str) -> list[Mark]:
        """Return the elements with all of these classes."""
        return [mark for mark in self.marks if set(classes) <= set(mark.classes)]

    @property
    def texts(self) -> list[str]:
        """What it says."""
        return [mark.said for mark in self.marks if mark.name == "text"]

    @property
    def outside(self) -> list[Mark]:
        """The elements that are not wholly within it."""
        return [
            mark
            for mark in self.marks
            if mark.left < -0.6 or mark.top < -0.6 or mark.right > self.width + 0.6 or mark.bottom > self.height + 0.6
        ]

    @property
    def covered(self) -> list[tuple[str, str]]:
        """The pairs of texts that lie on each other."""
        texts = [mark for mark in self.marks if mark.name == "text"]
        return [
            (one.said, other.said)
            for number, one in enumerate(texts)
            for other in texts[number + 1 :]
            if min(one.right, other.right) - max(one.left, other.left) > 1
            and min(one.bottom, other.bottom) - max(one.top, other.top) > 1
        ]

    @property
    def unknown(self) -> set[str]:
        """Its classes that charts.css has no rule for."""
        known = set(re.findall(r"\.([a-z][a-z0-9-]*)", svg.style()))
        return {name for mark in self.marks for name in mark.classes} - known


def drawings(chart: Chart) -> tuple[Drawing, Drawing]:
    """Return both drawings of a chart."""
    return read(chart.wide), read(chart.narrow)


def faults(chart: Chart) -> list[object]:
    """Return what is wrong in either drawing of a chart."""
    found: list[object] = []
    for drawing in drawings(chart):
        found += [*drawing.outside, *drawing.covered, *drawing.unknown]
    return found


def read(text: str) -> Drawing:
    """Read a drawing."""
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    found = tuple(_marks(root, ()))
    return Drawing(width, height, found)


def _marks(parent: ElementTree.Element, inherited: tuple[str, ...]) -> Iterator[Mark]:
    for element in parent:
        classes = (*inherited, *element.attrib.get("class", "").split())
        if element.tag == f"{_SPACE}g":
            yield from _marks(element, classes)
        else:
            yield _mark(element, classes)


def _mark(element: ElementTree.Element, classes: tuple[str, ...]) -> Mark:
    name, at = element.tag.removeprefix(_SPACE), element.attrib
    said = element.text or ""
    if name == "text":
        size = svg.SMALL if "small" in classes else svg.FONT_SIZE
        width = svg.text_width(said, size) * (svg.STRONG if "strong" in classes else 1)
        left = float(at["x"]) - {"end": width, "middle": width / 2}.get(at.get("text-anchor", ""), 0.0)
        y = float(at["y"])
        return Mark(name, classes, said, left, y - 0.75 * size, left + width, y + 0.2 * size)
    xs, ys = zip(*_points(name, at), strict=True)
    return Mark(name, classes, said, min(xs), min(ys), max(xs), max(ys))


def _points(name: str, at: dict[str, str]) -> Iterator[tuple[float, float]]:
    match name:
        case "line":
            yield float(at["x1"]), float(at["y1"])
            yield float(at["x2"]), float(at["y2"])
        case "circle":
            x, y, r = (float(at[key]) for key in ("cx", "cy", "r"))
            yield from ((x - r, y - r), (x + r, y + r))
        case "rect":
            x, y, width, height = (float(at[key]) for key in ("x", "y", "width", "height"))
            yield from ((x, y), (x + width, y + height))
        case "polygon":
            for pair in at["points"].split():
                x, y = map(float, pair.split(","))
                yield x, y
        case "path":
            yield from _of_path(at["d"])
        case _:
            raise AssertionError(f"a drawing has an element '{name}', which this reader does not know")


def _of_path(written: str) -> Iterator[tuple[float, float]]:
    x = y = 0.0
    for command, rest in re.findall(r"([MlhvHVLzZ])([^MlhvHVLzZ]*)", written):
        numbers = [float(one) for one in re.findall(r"-?[0-9.]+(?:e-?\d+)?", rest)]
        match command:
            case "M" | "L":
                x, y = numbers
            case "l":
                # Several steps may follow each other.
                for dx, dy in zip(numbers[:-2:2], numbers[1:-2:2], strict=True):
                    x, y = x + dx, y + dy
                    yield x, y
                x, y = x + numbers[-2], y + numbers[-1]
            case "h":
                x += numbers[0]
            case "v":
                y += numbers[0]
            case "H":
                x = numbers[0]
            case "V":
                y = numbers[0]
        yield x, y

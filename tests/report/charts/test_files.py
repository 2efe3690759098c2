"""Charts as files: whole documents with safe names, and errors that say what to do."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree

import pytest

from benchrig import language
from benchrig.errors import BenchrigError, InputError, MachineError
from benchrig.report import Report, load
from benchrig.report.charts import charts, files, fonts
from benchrig.report.charts.chart import slugs
from tests.support.charted import CHINESE, HOSTILE, a_row, report_of
from tests.support.reports import ROOT
from tests.support.timed import a_course, log_normal, timed, with_courses

SVG = "{http://www.w3.org/2000/svg}"


def written(report: Report, folder: Path) -> list[Path]:
    return list(files.write([chart for of_kind in charts(report).values() for chart in of_kind], folder))


def a_small_report(*names: str) -> Report:
    return report_of(*(timed(name, log_normal(300), courses=(a_course(),)) for name in names or ["go"]))


def test_each_chart_is_a_drawing_and_a_picture(tmp_path: Path) -> None:
    report = a_small_report()
    paths = written(report, tmp_path / "a" / "b")
    keys = [chart.key for of_kind in charts(report).values() for chart in of_kind]
    assert keys[:1] == ["throughput"]
    assert [path.name for path in paths] == [*(f"{key}.svg" for key in keys), *(f"{key}.png" for key in keys)]
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == sorted(path.name for path in paths)


def test_a_drawing_stands_alone(tmp_path: Path) -> None:
    report = a_small_report(HOSTILE, "x")
    for path in written(report, tmp_path):
        if path.suffix != ".svg":
            continue
        root = ElementTree.parse(path).getroot()
        chart = next(one for of_kind in charts(report).values() for one in of_kind if one.key == path.stem)
        title, desc, style = (root.find(f"{SVG}{name}") for name in ("title", "desc", "style"))
        assert title is not None
        assert desc is not None
        assert style is not None
        assert (desc.text or "")[:20] == chart.about[:20]
        assert "var(" not in (style.text or "")
        assert "prefers-color-scheme: dark" in (style.text or "")
        assert root.attrib["role"] == "img"
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        assert (float(root.attrib["width"]), float(root.attrib["height"])) == (width, height)
        assert not list(root.iter(f"{SVG}script"))
        assert chart.title.split()[0] in " ".join(text.text or "" for text in root.iter(f"{SVG}text"))


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """Return width and height of a PNG, and the colour of its first pixel."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) == (8, 6)
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(data)
    return width, height, raw[1:5]


def test_a_picture_is_twice_as_large_and_has_a_white_ground() -> None:
    (chart,) = charts(report_of(a_row("go", 10, 11)))["throughput"]
    root = ElementTree.fromstring(files.as_svg(chart).encode())
    width, height, colour = pixels(files.as_png(chart))
    assert width == round(files.ZOOM * float(root.attrib["width"]))
    assert height == pytest.approx(files.ZOOM * float(root.attrib["height"]), abs=1)
    assert colour == b"\xff\xff\xff\xff"


def test_text_in_a_picture_is_drawn() -> None:
    """Another label makes another picture: with a font that is missing, both would be without a label, or with boxes."""
    pictures = []
    for name in ("go", "og", "异步", "同步"):
        (chart,) = charts(report_of(a_row(name, 10, 11)))["throughput"]
        pictures.append(files.as_png(chart))
    assert len(set(pictures)) == 4


def test_names_are_safe_and_differ_also_in_small_letters() -> None:
    names = ["../../x", "a b", "a/b", "A-B", CHINESE, "", ".", "..", "-rf", "é", "con\x00", "x" * 500, "a.b"]
    found = slugs(names)
    assert len({name.lower() for name in found}) == len(names)
    for name in found:
        assert name[0].isalnum()
        assert name.isascii()
        assert "/" not in name
        assert ".." not in name
        assert len(name) < 100
    assert found[1:4] == ["a-b", "a-b-2", "A-B-3"]


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "charts"
    paths = written(a_small_report("../../x", "../../x ", "/etc/passwd", CHINESE), folder)
    assert {path.parent for path in paths} == {folder}
    assert len({path.name.lower() for path in paths}) == len(paths)
    assert [path.name for path in tmp_path.iterdir()] == ["charts"]


def test_files_of_others_stay_and_ours_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "throughput.svg").write_text("old")
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "throughput.png").symlink_to("elsewhere")
    written(report_of(a_row("go", 10)), tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "elsewhere").read_text() == "kept"
    assert "<svg" in (tmp_path / "throughput.svg").read_text()
    assert not (tmp_path / "throughput.png").is_symlink()


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="cannot be written") as refused:
            written(report_of(a_row("go", 10)), folder)
        assert str(refused.value).count("\n") == 0
    (tmp_path / "throughput.svg").mkdir()
    with pytest.raises(InputError, match=r"throughput\.svg"):
        written(report_of(a_row("go", 10)), tmp_path)


def test_a_report_without_figures_has_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row has figures"):
        written(report_of(a_row("failed")), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_published_set_has_charts_in_chinese_too(tmp_path: Path) -> None:
    with language.use("zh"):
        paths = written(load("web-frameworks", ROOT), tmp_path)
    assert {"throughput.svg", "throughput.png"} <= {path.name for path in paths}


def test_drawings_are_there_also_where_a_font_is_missing(tmp_path: Path) -> None:
    refused = MachineError("a chart as PNG needs these packages: fonts-dejavu-core", "sudo apt-get install it")
    with (
        mock.patch.object(fonts, "_files", mock.Mock(return_value={}, cache_clear=mock.Mock())),
        mock.patch.object(fonts.packages, "ensure", side_effect=refused) as ensure,
        pytest.raises(BenchrigError, match="fonts-dejavu-core") as error,
    ):
        written(report_of(a_row("异步", 10)), tmp_path)
    assert not isinstance(error.value, MachineError)
    assert (tmp_path / "throughput.svg").exists()
    assert set(ensure.call_args.args[0].values()) == {"fonts-dejavu-core", "fonts-wqy-microhei"}


def test_only_a_font_that_is_needed_is_asked_for() -> None:
    with (
        mock.patch.object(fonts.packages, "ensure") as ensure,
        mock.patch.object(
            fonts, "_files", mock.Mock(return_value={"DejaVuSans.ttf": Path("/x/DejaVuSans.ttf")}, cache_clear=mock.Mock())
        ),
    ):
        assert fonts.find("<text>go</text>") == [Path("/x/DejaVuSans.ttf")]
        ensure.assert_not_called()
        fonts.find("<text>异步</text>")
        assert list(ensure.call_args.args[0].values()) == ["fonts-wqy-microhei"]


def test_rows_with_the_same_slug_have_files_of_their_own(tmp_path: Path) -> None:
    report = report_of(*(with_courses(name, a_course()) for name in ("a b", "a/b")))
    names = {path.name for path in written(report, tmp_path)}
    assert {"course-a-b.svg", "course-a-b-2.svg"} <= names

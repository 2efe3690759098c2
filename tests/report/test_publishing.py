"""A run becomes published figures: what is written reads as every other set, and no doubtful figure becomes a truth."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig import report as reporting
from benchrig.errors import InputError
from benchrig.report import published, publishing
from benchrig.report.claims import audit_published
from benchrig.report.metrics import THROUGHPUT
from benchrig.results.model import LoadErrors
from tests.support import ROOT
from tests.support.history import written
from tests.support.reports import a_cell, a_load, a_run, missing

TEXT = (ROOT / "configs" / "published" / "web-frameworks" / "go-2000.txt").read_text()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with published figures, and with a run of two rows of three repeats."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    (tmp_path / "apps").symlink_to(ROOT / "apps")
    run = replace(a_run("go-2000", "sanic"), settings=replace(a_run().settings, repeats=3), servers=("lab1",))
    cells = [
        a_cell(name, repeat, load=a_load(count), sleep_seconds=0.0)
        for name, counts in {"go-2000": (40_000, 42_000, 41_000), "sanic": (30_000, 30_100, 30_200)}.items()
        for repeat, count in enumerate(counts, 1)
    ]
    folder = written(tmp_path / "reports", "run", run, cells)
    for cell in cells:
        (folder / cell.raw).write_text(f"{TEXT}\n# the app's journal\nsecret of {cell.raw}\n")
    return tmp_path


def publish(root: Path, name: str = "ours", run: str = "run") -> publishing.Made:
    return publishing.publish(root / "reports" / run, name, root)


def test_a_set_has_the_medians_and_a_text_of_each_row(root: Path) -> None:
    made = publish(root)
    assert (made.rows, made.texts, made.left_out) == (2, 2, ())
    found = published.read("ours", root)
    assert found.source.run == "run"
    assert found.rows["go-2000"].figures[THROUGHPUT.name] == pytest.approx(41_000 / 5)
    assert found.rows["go-2000"].figures["requests"] == 41_000
    assert found.rows["go-2000"].route == a_cell().route
    assert found.rows["go-2000"].found_in.startswith("median of 3 repeats")
    assert set(found.printed) == {"go-2000", "sanic"}
    text = (root / "configs" / "published" / "ours" / "go-2000.txt").read_text()
    assert text.startswith("$ wrk -s bm.lua")
    assert "secret" not in text
    assert found.source.cores == 2
    assert "2025-01-02T03:04:05Z" in found.source.document


def test_a_set_of_a_run_compares_with_it_and_shows_as_a_report(root: Path) -> None:
    publish(root)
    table = reporting.load("ours", root).table
    assert [row.name for row in table.rows] == ["go-2000", "sanic"]
    # The figures are medians, the text is of one repeat: that is no contradiction.
    assert [row.name for row in table.rows if row.invalid] == []
    found = reporting.compare([reporting.load("ours", root), reporting.load("run", root)], 0.0, lambda *_: {})
    (pairing,) = found.pairings
    assert pairing.rows == ("go-2000", "sanic")
    changes = {change.row: change.ratio for change in pairing.changes if change.metric is THROUGHPUT}
    assert changes == {"go-2000": pytest.approx(1.0), "sanic": pytest.approx(1.0)}


def test_a_set_of_a_run_is_no_document_to_audit(root: Path) -> None:
    before = audit_published(root, json=False)
    publish(root)
    assert audit_published(root, json=False) == before


def test_a_text_outside_of_the_run_is_not_published(root: Path) -> None:
    cells = [a_cell("go-2000", raw="../../configs/published/web-frameworks/go-2000.txt")]
    written(root / "reports", "odd", replace(a_run("go-2000"), number=9), cells)
    assert publish(root, run="odd").texts == 0


def test_a_run_is_compared_with_a_set_that_its_suite_names(root: Path) -> None:
    publish(root)
    run = replace(a_run("go-2000"), published="ours", number=2)
    written(root / "reports", "later", run, [a_cell("go-2000", load=a_load(20_500))])
    (row,) = reporting.load("later", root).table.rows
    assert row.ratio == pytest.approx(0.5)


def test_rows_that_must_not_be_used_are_left_out_and_named(root: Path) -> None:
    bad = a_load(30_000)
    cells = [
        a_cell("go-2000"),
        a_cell("sanic", load=replace(bad, errors=LoadErrors(timeout=29_000))),
        missing("flask-sync", "failed", "it does not answer"),
        missing("go-20000", "not_possible", "limits", 20_000),
    ]
    written(root / "reports", "mixed", replace(a_run("go-2000", "sanic", "flask-sync", "go-20000"), number=5), cells)
    made = publish(root, run="mixed")
    assert made.rows == 1
    assert [(one.row, one.reason.split(":")[0]) for one in made.left_out] == [
        ("sanic", "is invalid"), ("flask-sync", "failed"), ("go-20000", "is not possible")
    ]  # fmt: skip
    assert set(published.read("ours", root).rows) == {"go-2000"}


def test_a_run_without_a_row_to_publish_makes_no_set(root: Path) -> None:
    cells = [missing(name, "failed", "it does not answer") for name in ("flask-sync", "sanic")]
    written(root / "reports", "failed", replace(a_run("flask-sync", "sanic"), number=5), cells)
    with pytest.raises(InputError) as refused:
        publish(root, run="failed")
    first, *rows = str(refused.value).splitlines()
    assert first.endswith("failed can be published:")
    assert rows == ["  flask-sync failed", "  sanic failed"]
    assert "ours" not in published.names(root)


def test_an_incomplete_run_is_refused(root: Path) -> None:
    written(root / "reports", "begun", a_run("go-2000", "sanic", finished=False), [a_cell("go-2000")])
    with pytest.raises(InputError, match="begun is incomplete: only a complete run is published"):
        publish(root, run="begun")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("web-frameworks", "web-frameworks.yml exists already: a set is never replaced"),
        ("run", "'run' is the name of a run"),
        ("latest", "cannot name a set of figures"),
        ("history", "cannot name a set of figures"),
        ("../x", "cannot name a set of figures"),
        ("a/b", "cannot name a set of figures"),
        (".x", "cannot name a set of figures"),
        ("-x", "cannot name a set of figures"),
        ("", "cannot name a set of figures"),
        ("x" * 65, "cannot name a set of figures"),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused(root: Path, name: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        publish(root, name)
    assert said in str(caught.value)


def test_a_folder_of_texts_that_is_there_is_not_written_into(root: Path) -> None:
    (root / "configs" / "published" / "ours").mkdir()
    with pytest.raises(InputError, match="ours exists already"):
        publish(root)


def test_a_set_that_cannot_be_written_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = publishing.files.write

    def fail(path: Path, content: str) -> None:
        if path.suffix == ".yml" and path.is_relative_to(root):
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(publishing.files, "write", fail)
    before = sorted((root / "configs" / "published").rglob("*"))
    with pytest.raises(OSError, match="No space left"):
        publish(root)
    assert sorted((root / "configs" / "published").rglob("*")) == before


def test_names_and_titles_that_yaml_would_read_otherwise_come_back(root: Path) -> None:
    title = "yes: # & *x '\"" + "更" * 10
    run = replace(a_run("go-2000"), suite_title=title, number=9)
    written(root / "reports", "odd", run, [a_cell("go-2000", system="no")])
    publish(root, run="odd")
    found = published.read("ours", root)
    assert (found.title, found.rows["go-2000"].title) == (title, "no")


def test_without_texts_a_set_has_no_folder(root: Path) -> None:
    shutil.rmtree(root / "reports" / "run" / "raw")
    made = publish(root)
    assert (made.rows, made.texts) == (2, 0)
    assert not (root / "configs" / "published" / "ours").exists()

"""Labels: one line of text, which no bench can lose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import InputError, ResultsError
from benchrig.results import labels, store
from benchrig.results.recorder import Recorder
from tests.support.reports import a_cell, a_run


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("before the update", "before the update"),
        ("  spaces around  ", "spaces around"),
        ("更新之前 – naïve", "更新之前 – naïve"),
        ("👩\u200d🔬 lab", "👩\u200d🔬 lab"),
        ("<b>bold</b> | x", "<b>bold</b> | x"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_label_comes_back_as_it_was_given(tmp_path: Path, text: str, label: str) -> None:
    labels.write(tmp_path, labels.checked(text))
    assert labels.read(tmp_path) == label
    assert labels.remove(tmp_path)
    assert not labels.remove(tmp_path)
    assert labels.read(tmp_path) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one character"),
        ("   ", "at least one character"),
        ("x" * 201, "at most 200 characters, not 201"),
        ("a\nb", "one line without control characters"),
        ("a\tb", "one line without control characters"),
        ("\x1b[31mred", "one line without control characters"),
        ("turned \u202e around", "one line without control characters"),
        ("hidden \u200b space", "one line without control characters"),
        ("half \udc80 a pair", "one line without control characters"),
        ("\u200d\u2028", "one line without control characters"),
    ],
)
def test_what_is_no_label_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        labels.checked(text)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (1 << 20), b"", None])
def test_a_damaged_label_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        (tmp_path / labels.FILE).mkdir()
    else:
        (tmp_path / labels.FILE).write_bytes(content)
    assert labels.read(tmp_path) == ""


def test_what_others_wrote_into_the_file_is_one_short_line(tmp_path: Path) -> None:
    (tmp_path / labels.FILE).write_text("a\nb\n" + "x" * 500)
    assert labels.read(tmp_path).startswith("a b xxx")
    assert len(labels.read(tmp_path)) == 201


def test_a_run_that_goes_on_elsewhere_takes_its_label_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Recorder(tmp_path / "reports", a_run("go-2000", finished=False)) as recorder:
        recorder.keep(a_cell("go-2000", 1), {})
        assert recorder.folder
        labels.write(recorder.folder, "mine")
        (recorder.folder / store.CELLS).unlink()
        with pytest.raises(ResultsError):
            recorder.check()
    assert recorder.folder.is_relative_to(tmp_path / "state")
    assert labels.read(recorder.folder) == "mine"


def test_a_bench_that_goes_on_keeps_the_label(tmp_path: Path) -> None:
    run = replace(a_run("go-2000", finished=False), settings=replace(a_run().settings, repeats=2))
    with Recorder(tmp_path, run) as recorder:
        recorder.keep(a_cell("go-2000", 1), {})
        assert recorder.folder
        labels.write(recorder.folder, "while it was measured")
        recorder.keep(a_cell("go-2000", 2), {})
        folder = recorder.finish()
    assert labels.read(folder) == "while it was measured"
    assert len(store.read(folder)[1]) == 2

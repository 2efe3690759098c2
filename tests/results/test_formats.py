"""A real run of every format that benchrig ever wrote is read as it was: its records, and the figures that they had then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchrig.bench.generators.wrk.output import read_load
from benchrig.report.table import make
from benchrig.results import formats, store
from benchrig.results.model import Cell, Run, Settings
from tests.support import ROOT

RUNS = ROOT / "tests" / "cases" / "results"
FORMATS = sorted(path.name for path in RUNS.iterdir() if path.is_dir())


def read(name: str) -> tuple[Run, tuple[Cell, ...]]:
    return store.read(RUNS / name)


def test_there_is_a_run_of_every_format_that_is_no_longer_written() -> None:
    assert {f"v{number}" for number in range(1, formats.FORMAT)} <= set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_run_is_read_whole_and_without_a_warning(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    run, cells = read(name)
    assert {cell.name for cell in cells} == set(run.rows)
    assert len(cells) == run.settings.repeats * len(run.rows)
    assert {cell.status for cell in cells} == {"measured"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", FORMATS)
def test_the_settings_are_those_of_each_cell(name: str) -> None:
    run, cells = read(name)
    asked = {(cell.duration_seconds, cell.timeout_seconds, cell.threads) for cell in cells}
    assert asked == {(run.settings.duration_seconds, run.settings.timeout_seconds, run.settings.threads)}


@pytest.mark.parametrize("name", FORMATS)
def test_the_records_are_what_the_raw_output_says(name: str) -> None:
    for cell in read(name)[1]:
        assert cell.load == read_load((RUNS / name / cell.raw).read_text())


@pytest.mark.parametrize("name", FORMATS)
def test_the_figures_are_those_of_the_report_of_then(name: str) -> None:
    report = json.loads((RUNS / name / "report.json").read_text())
    table = make(*read(name))
    for row, then in zip(table.rows, report["rows"], strict=True):
        assert row.figures
        assert (row.name, row.repeats) == (then["name"], then["repeats"])
        assert {name: then[name] for name in row.figures if name in then} == {
            name: sample.median for name, sample in row.figures.items() if name in then
        }


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_read_is_written_in_the_format_of_today(name: str, tmp_path: Path) -> None:
    run, cells = read(name)
    store.write_run(tmp_path, run)
    for cell in cells:
        store.append(tmp_path, cell)
    assert store.read(tmp_path) == (run, cells)
    assert json.loads((tmp_path / store.RUN).read_text())["format"] == formats.FORMAT


def test_the_texts_of_format_1_become_settings() -> None:
    assert read("v1")[0].settings == Settings(5.0, 1.0, 10.0, threads=4, repeats=2, connections=2000)


def test_connections_of_format_1_are_known_only_when_every_row_was_measured(tmp_path: Path) -> None:
    folder = shutil.copytree(RUNS / "v1", tmp_path / "v1")
    first = (folder / store.CELLS).read_text().split("\n")[0]
    (folder / store.CELLS).write_text(first + "\n")
    assert store.read(folder)[0].settings.connections is None


@pytest.mark.parametrize(("kind", "made_here", "shares_kernel"), [("lab", True, True), ("qemu", True, False)])
def test_what_a_machine_of_format_1_shares_follows_from_its_kind(kind: str, made_here: bool, shares_kernel: bool) -> None:
    run = json.loads((RUNS / "v1/run.json").read_text())
    run["machines"][0]["kind"] = kind
    (machine,) = formats.read_run(run, []).record.machines
    assert (machine.made_here, machine.shares_kernel) == (made_here, shares_kernel)


@pytest.mark.parametrize("name", ["abc", "nan", "-1", "1e3", "101", ""])
def test_a_percentile_without_a_number_is_refused(name: str) -> None:
    data = json.loads((RUNS / "v2" / "cells.jsonl").read_text().splitlines()[0])
    data["load"]["latency"]["percentiles_us"][name] = 1.0
    with pytest.raises(formats.FormatError, match=f"'{name}' is no percentile"):
        formats.read_cell(data)

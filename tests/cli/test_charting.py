"""`./inv report --charts`: what is printed, and how it ends where charts cannot be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import inv


def test_the_paths_of_all_charts_are_printed_after_the_table(tmp_path: Path) -> None:
    folder = tmp_path / "a b" / "图"
    done = inv("report", "web-frameworks", "--charts", str(folder), "--lang", "zh")
    assert done.returncode == 0, done.stderr
    printed = [line for line in done.stdout.splitlines() if line.startswith(str(tmp_path))]
    assert sorted(printed) == sorted(map(str, folder.iterdir()))
    assert f"{folder}/throughput.svg" in printed
    assert f"{folder}/throughput.png" in printed
    assert done.stdout.splitlines()[-len(printed) :] == printed


def test_a_document_on_standard_output_stays_alone(tmp_path: Path) -> None:
    done = inv("report", "web-frameworks", "--charts", str(tmp_path), "--format", "json")
    assert json.loads(done.stdout)
    assert f"{tmp_path}/throughput.png" in done.stderr.splitlines()


@pytest.mark.parametrize("name", ["file", "file/below", "/proc/none"])
def test_what_is_no_folder_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    done = inv("report", "web-frameworks", "--charts", str(tmp_path / name))
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert name in line
    assert "Traceback" not in done.stderr


def test_a_file_in_place_of_the_folder_is_told_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = inv("report", "web-frameworks", "--charts", str(tmp_path / "file"))
    assert done.stdout == ""
    assert (tmp_path / "file").read_text() == "mine"

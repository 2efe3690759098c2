"""A dry run shows the cells of a bench in their order, and the time they take; it contacts no machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.bench import run
from benchrig.bench.app import read_apps
from benchrig.bench.preview import PlannedCell, Preview, render
from benchrig.bench.suite import BenchRequest, plan
from benchrig.errors import InputError
from benchrig.inventory import Inventory
from tests.support import ROOT

GO = plan(ROOT, read_apps(ROOT), BenchRequest(only=("go-2000", "sanic"), repeats=2))


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a dry run contacts no machine")

    monkeypatch.setattr("benchrig.remote.ssh.connect", refuse)


def written(folder: Path, servers: str) -> Inventory:
    path = folder / "mine.yml"
    hosts = "".join(f"    {name}: {{ansible_host: 192.0.2.{number}}}\n" for number, name in enumerate(servers.split(), 1))
    path.write_text(
        f"servers:\n  hosts:\n{hosts}loadgens: {{hosts: {{load1: {{ansible_host: 192.0.2.9}}}}}}\n"
        "all: {vars: {benchrig_machine: existing}}\n"
    )
    return inventory.read(str(path), path.parent)


def test_the_cells_are_in_the_order_of_the_bench(tmp_path: Path) -> None:
    preview = run.preview(ROOT, GO, written(tmp_path, "web1 web2"))
    assert [(cell.repeat, cell.row, cell.host) for cell in preview.cells] == [
        (1, "go-2000", "web1"),
        (1, "go-2000", "web2"),
        (1, "sanic", "web2"),
        (1, "sanic", "web1"),
        (2, "go-2000", "web2"),
        (2, "go-2000", "web1"),
        (2, "sanic", "web1"),
        (2, "sanic", "web2"),
    ]
    assert {(cell.connections, cell.duration_seconds) for cell in preview.cells} == {(2000, 10.0)}
    assert preview.seconds == 8 * (1.0 + 10.0 + 1.5)


def test_a_service_that_runs_already_has_its_address(tmp_path: Path) -> None:
    row = GO.rows[0]
    file = replace(row.app.file, address="http://192.0.2.7:80", runtime="", command="")
    service = replace(GO, rows=(replace(row, app=replace(row.app, file=file)),), repeats=1)
    assert [cell.host for cell in run.preview(ROOT, service, written(tmp_path, "web1")).cells] == ["192.0.2.7:80"]


def test_an_inventory_without_a_server_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.yml"
    path.write_text("loadgens: {hosts: {load1: {}}}\nall: {vars: {benchrig_machine: existing}}\n")
    with pytest.raises(InputError, match="no host in the group 'servers'"):
        run.preview(ROOT, GO, inventory.read(str(path), path.parent))


def test_a_preview_is_a_table_with_the_estimate_and_how_it_is_made() -> None:
    cells = (PlannedCell(1, "go-2000", "web1", 2000, 5.0), PlannedCell(1, "sanic", "web10", 20000, 5.0))
    assert render(Preview(cells, 1.0, timeout_seconds=4.0)).split("\n") == [
        "#  repeat  row      host   connections  duration",
        "1       1  go-2000  web1          2000       5 s",
        "2       1  sanic    web10        20000       5 s",
        "",
        "2 cells, about 15 s",
        "Estimate for each cell: 1 s warm-up, the duration, and 1.5 s to start, verify and stop the app.",
        "Not included: the start of machines, provisioning, and resets of a database.",
    ]


def test_the_preview_of_what_is_left_names_the_run() -> None:
    assert render(Preview((), 1.0, 4.0, "one, which has 2 measured cells")).startswith(
        "left of one, which has 2 measured cells:\n"
    )
    assert render(Preview((), 1.0, 4.0)).startswith("#")


@pytest.mark.parametrize(("timeout", "told"), [(4.9, False), (5.0, True), (9.0, True)])
def test_the_preview_says_that_the_load_ends_before_a_reply_can_be_late(timeout: float, told: bool) -> None:
    last = render(Preview((PlannedCell(1, "go-2000", "web1", 2000, 5.0),), 1.0, timeout)).splitlines()[-1]
    assert last.startswith("No reply can be counted as late: the timeout of") == told

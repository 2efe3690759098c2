"""A bench as a whole: what is found out before anything is measured, and what is kept when it is interrupted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchrig import inventory
from benchrig.agent.bench import protocol
from benchrig.bench import records, run
from benchrig.bench.app import App, DatabaseFile, read_apps
from benchrig.bench.cell import Measurement
from benchrig.bench.data import read_data
from benchrig.bench.database import look
from benchrig.bench.deploy import lacking
from benchrig.bench.measuring import measure_all
from benchrig.bench.order import turns
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.errors import HostError, InputError
from benchrig.inventory import Host
from benchrig.report import describe
from benchrig.results import store
from benchrig.results.recorder import Recorder
from tests.support import ROOT
from tests.support.cell import unasked
from tests.support.reports import a_cell, a_run

APPS = read_apps(ROOT)
DATA = read_data(ROOT, "films")
FILMS = plan(ROOT, APPS, BenchRequest(suite="quart-vs-flask", only=("films-quart", "films-flask")))
GO = plan(ROOT, APPS, BenchRequest(only=("go",)))
FACTS = protocol.DatabaseFacts("15.8", {}, max_connections=22, reserved_connections=3, fingerprint=DATA.file.fingerprint)


class Database:
    """A database host that answers as told, and counts how often it has loaded its data."""

    def __init__(self, facts: protocol.DatabaseFacts, after_loading: str = DATA.file.fingerprint) -> None:
        self.facts = facts
        self.after_loading = after_loading
        self.loaded = 0

    def ask(self, operation: Any) -> Any:
        if isinstance(operation, protocol.FindDatabase):
            return self.facts
        self.loaded += 1
        return protocol.Loaded(self.after_loading)


ENOUGH = replace(FACTS, max_connections=23)


def test_a_pool_larger_than_max_connections_less_the_reserved_is_told_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        look(Database(FACTS), "db", DATA, FILMS.apps)
    (first, _) = caught.value.problems
    assert first.where == APPS["films-flask"].where("database", "pool_max")
    assert first.message == (
        "a pool of 20 connections is more than PostgreSQL on db allows: max_connections 22, 3 of them reserved; "
        "lower it to 19, or raise postgresql_max_connections"
    )


def test_a_pool_that_fits_and_data_in_their_state_are_taken_as_they_are() -> None:
    database = Database(ENOUGH)
    record = look(database, "db", DATA, FILMS.apps).stored()
    assert database.loaded == 0
    assert (record.host, record.data, record.version, record.fingerprint) == ("db", "films", "15.8", DATA.file.fingerprint)


def test_data_in_another_state_are_loaded_anew() -> None:
    database = Database(replace(ENOUGH, fingerprint="1000 films, 7 reviews"))
    assert look(database, "db", DATA, FILMS.apps)
    assert database.loaded == 1


def test_data_that_loading_does_not_mend_are_told_with_both_fingerprints_and_the_place() -> None:
    database = Database(replace(ENOUGH, fingerprint=""), after_loading="999 films")
    with pytest.raises(InputError) as caught:
        look(database, "db", DATA, FILMS.apps)
    place = DATA.where("fingerprint")
    assert str(caught.value) == (f"the data set on db is '999 films' after loading, not '{DATA.file.fingerprint}' ({place})")
    assert "write the new fingerprint there" in str(caught.value.hint)


def test_a_data_set_with_a_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "configs" / "data" / "films"
    folder.mkdir(parents=True)
    (folder / "data.yml").write_text("title: Films\nfingerprint: x\ntables: review\n")
    with pytest.raises(InputError, match=r"data\.yml:1: there is no file 'load\.sql' beside this"):
        read_data(tmp_path, "films")
    (folder / "data.yml").write_text("title: Films\nfingerprints: x\n")
    with pytest.raises(InputError, match=r"data\.yml:2: unknown key 'fingerprints'; did you mean fingerprint\?"):
        read_data(tmp_path, "films")
    with pytest.raises(InputError, match=r"unknown data set 'film'; did you mean films\?"):
        read_data(tmp_path, "film")


def test_an_inventory_without_a_database_is_told_with_the_app_that_needs_one(tmp_path: Path) -> None:
    (tmp_path / "inventory").mkdir()
    path = tmp_path / "inventory" / "two.yml"
    path.write_text("all:\n  children:\n    servers: {hosts: {a: }}\n    loadgens: {hosts: {b: }}\n")
    with pytest.raises(InputError) as caught:
        run.bench(inventory.read("two", tmp_path), ROOT, FILMS)
    assert str(caught.value) == (
        "the inventory 'two' has no host in the group 'databases', which the app 'films-flask' needs"
    )


def test_one_bench_has_one_data_set() -> None:
    app = APPS["films-quart"]
    other = replace(app, name="books", file=replace(app.file, database=DatabaseFile("books")))
    wanted = replace(FILMS, rows=(FILMS.rows[0], replace(FILMS.rows[0], app=other)))
    with pytest.raises(InputError, match="one data set: 'films-flask' needs 'films', 'books' needs 'books'"):
        run.bench(inventory.read("lab", ROOT), ROOT, wanted)


def deployed(*apps: App, data: Mapping[str, str] | None = None) -> protocol.Deployed:
    return protocol.Deployed(
        {app.name: protocol.DeployedApp(app.digests(), 1024) for app in apps}, {"films": data or {}}, ("wrk",)
    )


def test_apps_data_and_load_generator_that_lie_there_as_they_are_here_lack_nothing() -> None:
    found = deployed(*FILMS.apps, data=DATA.digests())
    assert lacking(FILMS, DATA, found, found, found) == ()
    assert "films.json" in DATA.digests()


def test_what_is_missing_or_differs_is_named() -> None:
    found = deployed(FILMS.apps[0], data={**DATA.digests(), "films.json": "another"})
    bare = replace(found, programs=())
    assert lacking(FILMS, DATA, found, bare, found) == (FILMS.apps[1].name, "the data set films", "wrk")


def test_a_service_that_runs_already_is_not_deployed() -> None:
    app = GO.apps[0]
    running = replace(app, file=replace(app.file, address="http://10.0.0.1:80"))
    wanted = replace(GO, rows=tuple(replace(row, app=running) for row in GO.rows))
    assert lacking(wanted, None, deployed(), deployed(), None) == ()


MACHINE = protocol.MachineFacts("CPU", 2, 1 << 30, "6.1", "Debian", "kvm", {}, {}, {}, open_files=1 << 20, local_ports=64512)


@pytest.mark.parametrize(
    ("variables", "cpu", "emulated"),
    [({}, "CPU", False), ({"benchrig_emulated": True}, "CPU", True), ({}, "QEMU TCG CPU version 2.5+", True)],
)
def test_a_machine_is_emulated_when_its_kind_says_so_or_its_cpu_does(
    variables: dict[str, object], cpu: str, emulated: bool
) -> None:
    found = records.machine(Host("vm1", ("all",), variables), "qemu", replace(MACHINE, cpu=cpu))
    assert found.emulated is emulated
    assert describe.virtualization(found) == ("kvm, emulated" if emulated else "kvm")


def test_what_a_host_says_of_its_environment_is_stored_as_it_is() -> None:
    activity = protocol.Activity(0.2, 1.5, 30.0, 0.1, (protocol.Process("make", 90.0),), {"memory": 2.0}, 1 << 30, 5)
    environment = protocol.Environment(
        *("performance", "off", "on", 2, "madvise", {"mds": "Mitigation"}, "quiet", "tsc", "0x1", "bbr", "fq"),
        {"cpu.max of /": "1 2"},
        activity,
    )
    found = records.machine(Host("vm1", ("all",), {}), "lab", replace(MACHINE, environment=environment))
    assert asdict(found.environment) == asdict(environment)


def measured_until(monkeypatch: pytest.MonkeyPatch, last: int, end: BaseException) -> Plan:
    """Have cells measured until one ends with an error."""
    names = iter(range(last))

    def measure(*_: object) -> Measurement:
        if next(names, None) is None:
            raise end
        return Measurement(a_cell(), "raw text", "script")

    monkeypatch.setattr("benchrig.bench.cell.measure", measure)
    return GO


@pytest.mark.parametrize("end", [KeyboardInterrupt(), HostError("lab1: the connection was lost")])
def test_what_was_measured_before_an_end_is_kept_and_it_is_said_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], end: BaseException
) -> None:
    wanted = measured_until(monkeypatch, 1, end)
    recorder = Recorder(tmp_path, a_run("go-2000"))
    with pytest.raises(type(end)):
        measure_all(turns(wanted, [unasked()]), wanted, recorder)
    folder = recorder.folder
    assert folder
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"1 of 2 cells measured; to see them: ./inv report {folder.name}; to go on: ./inv bench --resume {folder.name}"
    )
    assert len(store.read(folder)[1]) == 1
    assert (folder / "raw" / f"{GO.rows[0].name}.lua").read_text() == "script"


def test_an_end_before_the_first_cell_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = measured_until(monkeypatch, 0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        measure_all(turns(wanted, [unasked()]), wanted, Recorder(tmp_path / "reports", a_run("go-2000")))
    assert capsys.readouterr().err == "no cell was measured, so nothing is stored\n"
    assert not (tmp_path / "reports").exists()

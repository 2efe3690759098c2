"""A session from its beginning to its report, on machines and with a bench that are made up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.ab import analysis, design, document, start, text
from benchrig.ab.analysis import Answer
from benchrig.ab.commits import Projects
from benchrig.ab.run import Task, measure
from benchrig.errors import BenchrigError, InputError
from benchrig.provision import HostRecap
from benchrig.report.history import known_spreads
from benchrig.report.table import make
from benchrig.results import sessions, store
from benchrig.results.model import Run
from benchrig.results.model.session import MetricSpread
from tests.support import ROOT
from tests.support.ab import Bench, Existing, Saved, Stoppable, sessions_in, wave
from tests.support.reports import a_cell, a_load, a_run


@pytest.fixture(autouse=True)
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setattr("benchrig.ab.run.bench", made)
    return made


def test_every_boot_is_a_restore_and_has_all_pairs_in_the_recorded_order(tmp_path: Path, bench: Bench) -> None:
    making = sessions_in(tmp_path)
    folder, session = making.measure("go-2000", "openresty-2000")
    assert making.machines.done == ["up", "work bench", "snapshot", *["restore"] * 4]
    expected = ["trial/A", "trial/B"]
    for boot, order in enumerate(session.order, 1):
        expected += [f"boot-{boot}/{at // 2 + 1}-{side}" for at, side in enumerate(order)]
    assert bench.places == expected
    assert session.finished_at
    assert sessions.read(folder) == session
    assert session.order == design.order(4, 2, seed=7)


def test_machines_without_snapshots_are_rebooted_and_those_of_others_left_alone(tmp_path: Path, bench: Bench) -> None:
    rebooted = sessions_in(tmp_path, Stoppable)
    _, session = rebooted.measure("go-2000", "go-2000", boots=2, pairs=1)
    assert rebooted.machines.done == ["up", "work bench", *["down", "up"] * 2]
    assert session.boot_by == "reboot"
    bench.places.clear()
    left_alone = sessions_in(tmp_path, Existing)
    folder, session = left_alone.measure("go-2000", "go-2000", boots=2, pairs=1)
    assert left_alone.machines.done == ["up"]
    assert "Boots are not in it" in text.render(analysis.analyse(folder), 140)


def test_half_of_the_pairs_of_a_boot_begin_with_each_side_and_a_seed_repeats_the_order() -> None:
    for pairs in (1, 2, 3, 4):
        for order in design.order(20, pairs, seed=1):
            firsts = order[::2]
            assert len(order) == 2 * pairs
            assert abs(firsts.count("A") - firsts.count("B")) == pairs % 2
            assert all(set(order[at : at + 2]) == {"A", "B"} for at in range(0, len(order), 2))
    assert design.order(20, 2, seed=1) == design.order(20, 2, seed=1) != design.order(20, 2, seed=2)


def test_an_a_a_session_measures_one_trial_and_keeps_the_spread_of_boots(tmp_path: Path, bench: Bench) -> None:
    bench.value = wave
    folder, session = sessions_in(tmp_path).measure("go-2000", "go-2000", boots=5)
    assert bench.places[:2] == ["trial/A", "boot-1/1-A" if session.order[0].startswith("A") else "boot-1/1-B"]
    assert session.is_same
    known = spread_of(tmp_path, a_run("go-2000"))
    assert known
    assert (known.session, known.spread.boots) == (folder.name, 5)
    assert 0.01 < known.spread.between <= known.spread.means < 0.05
    said = text.render(analysis.analyse(folder), 140)
    assert "A/A" in said
    assert "The spread from boot to boot is kept" in said


def spread_of(folder: Path, run: Run, row: str = "go-2000", **changes: Any) -> sessions.Known | None:
    """Return what is known of the spread of throughput between boots of a row of a run, of which the cell is another."""
    table = make(run, [a_cell(row, **{"load": a_load(90_000), "sleep_seconds": 0.0, **changes})])
    assert table.run
    return known_spreads(folder / "reports", table.run, table.rows[0]).get("requests_per_second")


MACHINE = a_run().machines[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"suite": "other"},
        {"machines": (replace(MACHINE, cores=4),)},
        {"machines": (replace(MACHINE, cpu="Another"),)},
        {"machines": (replace(MACHINE, memory_bytes=MACHINE.memory_bytes * 2),)},
        {"machines": ()},
        {"settings": replace(a_run().settings, duration_seconds=60.0)},
        {"settings": replace(a_run().settings, threads=7)},
        {"settings": replace(a_run().settings, warm_up_seconds=9.0)},
    ],
)
def test_the_spread_is_not_known_under_other_conditions(tmp_path: Path, bench: Bench, changes: dict[str, Any]) -> None:
    bench.value = wave
    sessions_in(tmp_path).measure("go-2000", "go-2000", boots=5)
    run = a_run("go-2000", "openresty-2000")
    assert spread_of(tmp_path, run)
    assert spread_of(tmp_path, replace(run, **changes)) is None
    assert spread_of(tmp_path, run, "openresty-2000") is None
    assert spread_of(tmp_path, run, connections=17) is None


def test_the_spread_is_not_known_without_boots_and_the_report_does_not_say_so(tmp_path: Path, bench: Bench) -> None:
    """On machines that nobody can boot, the app alone is started anew: that says nothing of boots."""
    bench.value = wave
    folder, session = sessions_in(tmp_path, Existing).measure("go-2000", "go-2000", boots=5)
    assert session.boot_by == "restart"
    assert session.spreads == ()
    assert spread_of(tmp_path, a_run("go-2000")) is None
    said = text.render(analysis.analyse(folder), 140)
    assert "is kept" not in said
    assert "from boot to boot" not in said
    assert "from start to start" in said
    # A session of an earlier version had the spread in its record.
    old = replace(session, spreads=(MetricSpread("requests_per_second", 0.01, 0.02, 5, 0.02),))
    sessions.write(folder, old)
    assert spread_of(tmp_path, a_run("go-2000")) is None


def test_the_spread_of_few_boots_is_not_taken_for_known(tmp_path: Path, bench: Bench) -> None:
    bench.value = wave
    folder, session = sessions_in(tmp_path).measure("go-2000", "go-2000", boots=4)
    assert session.spreads
    assert spread_of(tmp_path, a_run("go-2000")) is None
    assert "It takes 5 boots to know the spread from boot to boot" in text.render(analysis.analyse(folder), 200)


@pytest.mark.parametrize("rest", [{}, {"means": 0.0}, {"df": 3.2}])
def test_a_spread_that_was_stored_without_that_of_the_means_is_not_known(
    tmp_path: Path, bench: Bench, rest: dict[str, float]
) -> None:
    bench.value = wave
    folder, _ = sessions_in(tmp_path).measure("go-2000", "go-2000", boots=5)
    record = json.loads((folder / sessions.FILE).read_text())
    record["spreads"] = [{"metric": "requests_per_second", "within": 0.01, "between": 0.02, "boots": 5, **rest}]
    (folder / sessions.FILE).write_text(json.dumps(record))
    assert sessions.read(folder).spreads
    assert spread_of(tmp_path, a_run("go-2000")) is None


def test_the_spread_is_not_known_from_a_session_of_two_variants(tmp_path: Path, bench: Bench) -> None:
    bench.value = wave
    sessions_in(tmp_path).measure("go-2000", "openresty-2000", boots=5)
    assert spread_of(tmp_path, a_run("go-2000")) is None


def test_a_difference_that_all_boots_share_is_found_though_boots_differ_more(tmp_path: Path, bench: Bench) -> None:
    bench.value = lambda boot, side: wave(boot, side) * (0.97 if side == "B" else 1.0)
    folder, _ = sessions_in(tmp_path).measure("go-2000", "openresty-2000", boots=8)
    result = analysis.analyse(folder)
    assert result.throughput
    assert result.throughput.answer is Answer.WORSE
    assert result.throughput.paired.ratio == pytest.approx(0.97, rel=0.002)
    assert (result.measured, result.planned) == (32, 32)
    assert "B is worse" in text.render(result, 140)
    assert json.loads(document.render(result))["metrics"][0]["answer"] == "B is worse"


def test_one_boot_has_no_interval_and_says_so(tmp_path: Path) -> None:
    folder, _ = sessions_in(tmp_path).measure("go-2000", "openresty-2000", boots=1)
    result = analysis.analyse(folder)
    assert result.throughput
    assert result.throughput.answer is Answer.NOT_KNOWN
    assert "One boot has no interval" in text.render(result, 140)
    assert result.advice == ()


def test_an_interrupted_session_is_kept_shown_and_resumed_in_a_new_boot(
    tmp_path: Path, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    making = sessions_in(tmp_path)
    task, session = making.begin("go-2000", "openresty-2000")
    bench.interrupts_at = 2 + 4 + 3
    with pytest.raises(KeyboardInterrupt):
        measure(task, session)
    (folder,) = sessions.folders(tmp_path / "reports")
    assert f"6 of 16 measurements made; to see them: ./inv ab --show {folder.name}" in capsys.readouterr().err
    shown = text.render(analysis.analyse(folder), 140)
    assert "INCOMPLETE" in shown
    assert f"./inv ab --resume {folder.name}" in shown

    bench.places.clear()
    begun = sessions.read(sessions.find(tmp_path / "reports", unfinished=True))
    with Projects(ROOT) as projects:
        choices, setting = start.again(ROOT, making.inventory, begun, projects)
    assert {side: one.variant for side, one in choices.items()} == {"A": begun.a, "B": begun.b}
    _, done = measure(Task(tmp_path, making.machines, choices, setting), begun, folder)
    assert done.finished_at
    assert [place for place in bench.places if place.startswith(("trial", "boot-1"))] == []
    assert sum(place.startswith("boot-2") for place in bench.places) == 4
    assert (folder / "boot-2-interrupted-1").is_dir()
    assert len(sessions.measurements(folder, done)) == 16
    with pytest.raises(InputError, match="there is no session to resume"):
        sessions.find(tmp_path / "reports", unfinished=True)


def test_a_session_that_measured_nothing_leaves_nothing(tmp_path: Path, bench: Bench) -> None:
    bench.interrupts_at = 1
    with pytest.raises(KeyboardInterrupt):
        sessions_in(tmp_path).measure("go-2000", "openresty-2000")
    assert sessions.folders(tmp_path / "reports") == []


def test_runs_and_the_latest_are_not_confused_by_a_session(tmp_path: Path) -> None:
    sessions_in(tmp_path).measure("go-2000", "openresty-2000", boots=1)
    assert store.entries(tmp_path / "reports") == ()
    assert store.names(tmp_path / "reports") == set()
    assert not (tmp_path / "reports" / store.LATEST).exists()
    assert store.next_number(tmp_path / "reports") == 1


def test_a_variant_that_cannot_be_measured_ends_the_session_at_once(tmp_path: Path, bench: Bench) -> None:
    bench.fails = lambda place: "the app did not start" if place.endswith("B") else ""
    with pytest.raises(BenchrigError, match="B, openresty-2000, cannot be measured: the app did not start"):
        sessions_in(tmp_path).measure("go-2000", "openresty-2000")
    assert bench.places == ["trial/A", "trial/B"]


def test_a_later_failure_costs_its_pair_and_is_told(tmp_path: Path, bench: Bench) -> None:
    bench.fails = lambda place: "it was killed" if place == "boot-2/1-B" else ""
    folder, _ = sessions_in(tmp_path).measure("go-2000", "openresty-2000")
    result = analysis.analyse(folder)
    assert result.throughput
    assert result.throughput.paired.pairs == 7
    assert "it was killed" in text.render(result, 140)


def test_a_session_of_changed_files_is_not_resumed(tmp_path: Path) -> None:
    making = sessions_in(tmp_path)
    _, session = making.begin("go-2000", "openresty-2000")
    changed = replace(session, b=replace(session.b, digests={**session.b.digests, "app openresty": "0"}))
    with Projects(ROOT) as projects, pytest.raises(InputError, match=r"B is not what it was when .*app openresty"):
        start.again(ROOT, making.inventory, changed, projects)


def provisioning(monkeypatch: pytest.MonkeyPatch, bench: Bench, *, changed: int, takes: bool = True) -> list[str]:
    """Let machines be provisioned that change, or not, and that record what was set; return the values, as they come."""
    values: list[str] = []

    def prepare(_inventory: object, _playbook: Path, *, tags: Sequence[str], extra_vars: dict[str, Any]) -> str:
        assert tags == ("tuning",)
        assert extra_vars["app_only"] == ["go"]
        assert extra_vars.get("tuning_required") == (["tuning_somaxconn"] if "tuning_somaxconn" in extra_vars else None)
        found = extra_vars.get("tuning_somaxconn", "none")
        bench.sysctls = {"net.core.somaxconn": str(found) if takes else "4096"}
        return f"{type(found).__name__} {found}"

    def provision(_inventory: object, prepared: str) -> tuple[HostRecap, ...]:
        values.append(prepared)
        return (HostRecap("lab1", changed=changed),)

    monkeypatch.setattr("benchrig.provision.prepare", prepare)
    monkeypatch.setattr("benchrig.provision.provision", provision)
    return values


def test_a_setting_is_made_before_each_measurement_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    values = provisioning(monkeypatch, bench, changed=1)
    folder, session = sessions_in(tmp_path).measure("go-2000", boots=2, vary="tuning_somaxconn=511,65535")
    by_side = {"A": "int 511", "B": "int 65535"}
    assert values == ["int 511", "int 65535", *(by_side[side] for order in session.order for side in order), "str none"]
    assert not session.is_same
    assert "with tuning_somaxconn=511" in text.render(analysis.analyse(folder), 140)


def test_a_setting_that_changes_nothing_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    provisioning(monkeypatch, bench, changed=0)
    with pytest.raises(BenchrigError, match="511 and to 65535 changed nothing on the machines: they do not take it"):
        sessions_in(tmp_path).measure("go-2000", boots=2, vary="tuning_somaxconn=511,65535")
    assert bench.places == ["trial/A"]


def test_a_measurement_that_recorded_another_value_ends_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    provisioning(monkeypatch, bench, changed=1, takes=False)
    with pytest.raises(BenchrigError, match=r"tuning_somaxconn was set to [0-9]+, but lab1 had 4096 in the measurement"):
        sessions_in(tmp_path).measure("go-2000", boots=2, vary="tuning_somaxconn=511,65535")
    assert len(bench.places) == 2


def test_one_boot_is_told_as_one(tmp_path: Path) -> None:
    making = sessions_in(tmp_path)
    task, session = making.begin("go-2000", "openresty-2000", boots=1, pairs=1)
    assert design.announced(session, task.choices["A"].plan, 1).startswith(
        "1 boot (the machine returns to a snapshot) of 1 pair:"
    )
    folder, _ = measure(task, session)
    assert "\n1 boot (the machine returns to a snapshot), in each 1 pair of A" in text.render(analysis.analyse(folder), 200)


def test_two_servers_are_measured_each_alone(tmp_path: Path, bench: Bench) -> None:
    inventory = tmp_path / "two.yml"
    hosts = "hosts: {web1: , web2: }"
    inventory.write_text(f"all:\n  children:\n    servers: {{{hosts}}}\n    loadgens: {{{hosts}}}\n")
    making = sessions_in(tmp_path, Saved, str(inventory))
    _, session = making.measure("go-2000%web1", "go-2000%web2", boots=1)
    sides = ["A", "B", *session.order[0]]
    assert bench.servers == [{"A": "web1", "B": "web2"}[side] for side in sides]
    assert not session.is_same


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    folder, session = sessions_in(tmp_path).measure("go-2000", "go-2000", boots=1)
    sessions.write(folder, replace(session, order=("AB",)))
    with pytest.raises(InputError, match=r"ab\.json is damaged: 'order'"):
        sessions.read(folder)
    (folder / "ab.json").write_text("{")
    with pytest.raises(InputError, match=r"ab\.json cannot be read: not valid JSON"):
        sessions.read(folder)
    (folder / "ab.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="format 99 is of a later benchrig"):
        sessions.read(folder)

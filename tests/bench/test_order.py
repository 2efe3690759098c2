"""The order of a bench's cells: each round has its own, drawn from a seed, and the same from the same seed."""

from __future__ import annotations

from dataclasses import replace

from benchrig.bench.app import read_apps
from benchrig.bench.order import order, seeded
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.bench.until import Until
from tests.support import ROOT

ALL = plan(ROOT, read_apps(ROOT), BenchRequest(repeats=4))
NAMES = [row.name for row in ALL.rows]


def rounds(planned: Plan, servers: int = 1) -> list[list[str]]:
    return [[row.name for row, _ in order(planned, servers, repeat)] for repeat in range(1, planned.repeats + 1)]


def test_without_a_seed_each_round_is_in_the_order_of_the_suite() -> None:
    assert rounds(ALL) == [NAMES] * 4


def test_each_round_has_an_order_of_its_own_and_every_row_once() -> None:
    drawn = rounds(replace(ALL, seed=7))
    assert len({tuple(names) for names in drawn}) == 4
    assert all(sorted(names) == sorted(NAMES) and names != NAMES for names in drawn)


def test_a_seed_makes_the_same_order_on_any_computer() -> None:
    few = replace(ALL, rows=ALL.rows[:4], seed=1)
    assert [row.name for row, _ in order(few, 1, 1)] == [
        "flask-async", "flask-no-sleep", "flask-sync", "flask-gevent"
    ]  # fmt: skip
    assert rounds(replace(ALL, seed=7)) == rounds(replace(ALL, seed=7)) != rounds(replace(ALL, seed=8))


def test_each_row_comes_at_each_place_about_equally_often() -> None:
    planned = replace(ALL, rows=ALL.rows[:4], repeats=400, seed=3)
    first = [names[0] for names in rounds(planned)]
    assert all(70 <= first.count(name) <= 130 for name in NAMES[:4])


def test_servers_take_turns_within_a_row_however_the_rows_are_shuffled() -> None:
    planned = replace(ALL, seed=7)
    began: dict[str, list[int]] = {}
    for repeat in range(1, 5):
        turns = list(order(planned, 2, repeat))
        for (row, server), (same, other) in zip(turns[::2], turns[1::2], strict=True):
            assert (same, {server, other}) == (row, {0, 1})
            began.setdefault(row.name, []).append(server)
    assert all(servers in ([0, 1, 0, 1], [1, 0, 1, 0]) for servers in began.values())


def test_a_seed_is_drawn_for_several_rounds_and_one_that_was_chosen_stays() -> None:
    assert seeded(ALL).seed != seeded(ALL).seed
    assert seeded(replace(ALL, repeats=1)).seed is None
    assert seeded(replace(ALL, repeats=1, until=Until(2.0, 60.0))).seed is not None
    assert seeded(replace(ALL, repeats=1, seed=0)).seed == 0

"""What the kernels counted of a cell's connections, and Little's law: what makes a row doubtful, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.audit.connections import opened_again
from benchrig.results.codes import Code
from benchrig.results.model import Cell, ConnectionsSeen, DatabaseLoad, Descriptors, LoadThread, ServerEnd, Silence
from benchrig.results.spoils import Spoils
from benchrig.results.warnings import number
from tests.support import audits
from tests.support.audits import found, slow
from tests.support.reports import GENERATOR, SEEN, a_load, a_run, closing, with_client


def a_sound_cell(requests: int = 50_000, mean_ms: float | None = None, **changes: object) -> Cell:
    expected = 2000 * 5e3 / requests
    load = slow(a_load(requests), mean_ms or 0.97 * expected, max_ms=max(300.0, expected))
    return audits.a_sound_cell(load=load, **{"connections_seen": SEEN, **changes})


LOAD_BYTES = a_load(50_000).bytes


def seen(**changes: object) -> Cell:
    return a_sound_cell(connections_seen=with_client(**changes))


def test_connections_that_were_all_there_are_no_warning() -> None:
    assert found(a_sound_cell()) == {}


def test_what_the_kernel_does_not_tell_is_no_warning() -> None:
    nothing = with_client(established=None, unanswered=None)
    server = ServerEnd(None, None, 2000, None)
    for unknown in (None, ConnectionsSeen(), nothing, replace(nothing, server=server, descriptors=Descriptors(9, 0, 9))):
        assert found(a_sound_cell(connections_seen=unknown)) == {}


def test_connections_that_the_app_never_accepted_are_told_apart_from_those_it_never_answered() -> None:
    both = replace(with_client(unanswered=120), server=ServerEnd(2000, unaccepted=100, opened=2000, time_wait=None))
    warnings = audit.warnings(a_sound_cell(connections_seen=both), a_run())
    assert [(sentence(one), one.invalid) for one in warnings] == [
        ("The app never accepted 100 of 2,000 connections. The values are those of the others.", True),
        ("20 of 2,000 connections never got a reply. The values are those of the others.", False),
    ]


def test_connections_that_a_full_backlog_kept_from_the_server_were_never_accepted() -> None:
    full = replace(with_client(unanswered=200), server=ServerEnd(1900, unaccepted=100, opened=2000, time_wait=None))
    assert "never accepted 200 of" in sentence(found(a_sound_cell(connections_seen=full))[Code.DEAD_CONNECTIONS])


def test_a_queue_that_had_no_time_to_reach_all_connections_is_not_invalid() -> None:
    queue = replace(a_sound_cell(2_100), connections_seen=with_client(unanswered=300))
    assert not found(queue)[Code.DEAD_CONNECTIONS].invalid
    assert Code.LITTLES_LAW not in found(queue)


@pytest.mark.parametrize(("established", "told"), [(2000, []), (1990, [False]), (1979, [True])])
def test_connections_that_were_not_there_at_the_end(established: int, told: list[bool]) -> None:
    warnings = found(seen(established=established))
    assert [one.invalid for code, one in warnings.items() if code is Code.MISSING_CONNECTIONS] == told


@pytest.mark.parametrize(("most", "at_limit"), [(1000, False), (1021, False), (1022, True), (1024, True)])
def test_an_app_at_its_limit_of_descriptors(most: int, at_limit: bool) -> None:
    cell = a_sound_cell(connections_seen=replace(SEEN, descriptors=Descriptors(most, 1024, most)))
    assert (Code.DESCRIPTOR_LIMIT in found(cell)) == at_limit


def test_a_server_that_closes_its_connections_is_judged_by_nothing_that_needs_them_open() -> None:
    cell = a_sound_cell(connections_seen=closing(50_000))
    for one in (cell, a_sound_cell(mean_ms=40.0, connections_seen=closing(50_000))):
        ((code, warning),) = found(one).items()
        assert (code, warning.invalid) == (Code.NO_KEEP_ALIVE, False)
        assert "50,000 connections carried 1 request each" in sentence(warning)


@pytest.mark.parametrize(("opened", "closes"), [(2_050, ""), (2_400, ""), (2_600, "some"), (6_900, "some"), (7_100, "each")])
def test_a_server_that_closes_a_connection_now_and_then_keeps_them_alive(opened: int, closes: str) -> None:
    sound = replace(closing(opened), client=with_client(opened=opened).client)
    told = [
        one.values["case"] for one in found(a_sound_cell(connections_seen=sound)).values() if one.code is Code.NO_KEEP_ALIVE
    ]
    assert told == ([closes] if closes else [])


def test_sessions_with_a_database_on_the_server_are_not_the_loads_connections() -> None:
    database = DatabaseLoad(None, sessions=50_000, commits=50_000, rollbacks=0, on_server=True)
    cell = a_sound_cell(connections_seen=closing(52_000), database=database)
    assert opened_again(cell) == 0
    # On a machine of its own, the load host counts its own connections only.
    assert opened_again(replace(cell, load_on_server=False)) == 50_000


@pytest.mark.parametrize(("held", "full"), [(None, False), (60_000, False), (61_300, True)])
def test_closed_connections_that_hold_all_ports_make_a_row_invalid(held: int | None, full: bool) -> None:
    warnings = found(seen(time_wait=held))
    assert [one.invalid for one in warnings.values()] == [True] * full


def test_ports_are_held_by_either_end() -> None:
    cell = a_sound_cell(connections_seen=held_at_both_ends(27_000, 35_000, received=0))
    assert sentence(found(cell)[Code.PORTS_HELD]).startswith("Closed connections (TIME_WAIT) held 62,000 ports")


def held_at_both_ends(client: int, server: int, received: int, opened: int = 2000) -> ConnectionsSeen:
    seen = with_client(time_wait=client, received_bytes=received, opened=opened)
    assert seen.server
    return replace(seen, server=replace(seen.server, time_wait=server, opened=opened))


@pytest.mark.parametrize("held", [0, 8_192, 16_384, 60_000])
def test_how_many_ports_are_held_does_not_decide_whether_a_server_closes_its_connections(held: int) -> None:
    """A reset holds none, the kernel drops closed connections above a limit, and an earlier row may have left some."""
    closing = held_at_both_ends(0, held, received=0, opened=52_000)
    assert list(found(a_sound_cell(connections_seen=closing))) == [Code.NO_KEEP_ALIVE]
    own = held_at_both_ends(0, held, received=int(0.9 * LOAD_BYTES), opened=52_000)
    assert found(a_sound_cell(connections_seen=own)) == {}


def test_ports_that_an_earlier_row_left_held_are_nothing_to_connections_that_stay() -> None:
    assert found(a_sound_cell(connections_seen=held_at_both_ends(0, 62_000, received=int(0.9 * LOAD_BYTES)))) == {}


def test_dead_connections_are_found_though_the_app_has_connections_of_its_own() -> None:
    own = held_at_both_ends(0, 0, received=int(0.9 * LOAD_BYTES), opened=52_000)
    assert own.client
    silences = (Silence(3.0, 100, 100),)
    dead = replace(own, client=replace(own.client, unanswered=100, silences=silences))
    assert opened_again(a_sound_cell(connections_seen=dead)) == 222
    assert found(a_sound_cell(connections_seen=dead))[Code.DEAD_CONNECTIONS].invalid


@pytest.mark.parametrize(
    ("requests", "share", "closes"),
    [
        # 2,000 connections: 11 and 9 requests each, a fifth of the load.
        (110_000, 0.2, False),
        (90_000, 0.2, True),
        # 3 requests each: most of a short load, or little of a longer one.
        (10_000, 0.6, False),
        (50_000, 0.12, True),
    ],
)
def test_connections_that_stay_have_carried_ten_requests_or_much_of_the_load(
    requests: int, share: float, closes: bool
) -> None:
    load = a_load(requests)
    seen = held_at_both_ends(0, 0, received=int(share * load.bytes), opened=2000 + 5 * requests)
    warnings = found(a_sound_cell(requests, connections_seen=seen, sleep_seconds=0.0))
    told = warnings.get(Code.NO_KEEP_ALIVE)
    assert (told is not None and told.values["case"] == "each") == closes
    if closes:
        # Each carried one: those beyond were opened by the app.
        assert warnings[Code.NO_KEEP_ALIVE].values["opened"] == number(requests + 2000)


def test_connections_that_a_server_closes_now_and_then_may_be_between_two_uses() -> None:
    few = with_client(opened=4000, established=1900, received_bytes=int(0.2 * LOAD_BYTES))
    assert few.server
    few = replace(few, server=replace(few.server, opened=4000))
    assert list(found(a_sound_cell(connections_seen=few))) == [Code.NO_KEEP_ALIVE]
    assert few.client
    many_gone = replace(few, client=replace(few.client, established=1500))
    assert Code.MISSING_CONNECTIONS in found(a_sound_cell(connections_seen=many_gone))


# Little's law: 2,000 connections, 10,000 requests/s, so 200 ms


@pytest.mark.parametrize(("mean_ms", "told"), [(176.0, []), (165.0, [False]), (130.0, [True]), (209.0, []), (211.0, [True])])
def test_the_mean_must_be_connections_over_throughput(mean_ms: float, told: list[bool]) -> None:
    warnings = found(a_sound_cell(mean_ms=mean_ms))
    assert [one.invalid for code, one in warnings.items() if code is Code.LITTLES_LAW] == told


def test_a_mean_that_a_correction_may_have_raised_is_not_invalid() -> None:
    for mean_ms, told in ((249.0, []), (251.0, [False])):
        cell = a_sound_cell(mean_ms=mean_ms)
        assert cell.load
        warnings = found(replace(cell, load=replace(cell.load, measured=None)))
        assert [one.invalid for one in warnings.values()] == told


@pytest.mark.parametrize(("seconds", "told"), [(5.0, False), (30.0, True)])
def test_a_long_run_is_held_to_the_law_more_closely(seconds: float, told: bool) -> None:
    assert (Code.LITTLES_LAW in found(a_sound_cell(mean_ms=178.0, duration_seconds=seconds))) == told


def test_the_time_that_the_generator_itself_needs_is_in_no_latency() -> None:
    busy = replace(GENERATOR, cpu_seconds=8.0)
    assert Code.LITTLES_LAW in found(a_sound_cell(mean_ms=130.0))
    assert Code.LITTLES_LAW not in found(a_sound_cell(mean_ms=130.0, generator=busy))


def test_requests_that_are_sent_at_once_have_one_latency() -> None:
    cell = a_sound_cell(mean_ms=1_950.0)
    assert cell.load
    assert Code.LITTLES_LAW in found(cell)
    assert Code.LITTLES_LAW not in found(replace(cell, load=replace(cell.load, depth=10)))


def test_connections_that_were_never_answered_have_no_part_in_the_law() -> None:
    warnings = found(a_sound_cell(mean_ms=130.0, connections_seen=with_client(unanswered=700)))
    assert list(warnings) == [Code.DEAD_CONNECTIONS]


@pytest.mark.parametrize("seen", [None, with_client(unanswered=1953)])
def test_the_latency_of_a_load_that_got_most_of_no_replies_is_invalid(seen: ConnectionsSeen | None) -> None:
    """47 requests of 2,000 connections: the mean is 90 times too low."""
    cell = a_sound_cell(47, mean_ms=2_365.0, connections_seen=seen)
    assert cell.load
    cell = replace(cell, load=slow(cell.load, mean_ms=2_365.0, max_ms=2_400.0))
    law = found(cell)[Code.LITTLES_LAW]
    assert law.invalid
    assert Spoils.LATENCY in law.spoils
    assert sentence(law).startswith("Mean latency is understated: Little's law predicts 90 times as much.")


def test_a_mean_that_is_far_too_low_is_invalid_however_long_its_replies_took() -> None:
    """The tolerance is over a half where replies take most of the load."""
    cell = a_sound_cell(600, connections_seen=SEEN)
    assert cell.load
    load = slow(cell.load, mean_ms=2_000.0, max_ms=2_400.0)
    cell = replace(cell, load=load, duration_seconds=2.0)
    assert found(cell)[Code.LITTLES_LAW].invalid


def test_requests_under_way_at_the_end_are_in_no_latency() -> None:
    """Of 10 s each, in 30 s: a sixth of the time of all connections."""
    load = replace(slow(a_load(4_700), mean_ms=10_000.0, max_ms=10_500.0), duration_us=30_000_000)
    long = audits.a_sound_cell(load=load, connections_seen=SEEN, duration_seconds=30.0, timeout_seconds=15.0)
    assert found(long) == {}


@pytest.mark.parametrize(("seconds", "told"), [(5.0, True), (2.0, False)])
def test_a_thread_is_busy_for_a_share_of_the_time_that_it_was_observed(seconds: float, told: bool) -> None:
    threads = (LoadThread(seconds, cpu_seconds=0.4, wait_seconds=0.2, sleeps=1000),) * 4
    cell = a_sound_cell(mean_ms=150.0, generator=replace(GENERATOR, cpu_seconds=1.6, threads=threads))
    assert (Code.LITTLES_LAW in found(cell)) == told


def test_rows_of_runs_that_did_not_count_their_connections_are_not_made_invalid() -> None:
    (warning,) = found(a_sound_cell(mean_ms=130.0, connections_seen=None)).values()
    assert (warning.code, warning.invalid) == (Code.LITTLES_LAW, False)


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({}, None),
        ({"unanswered": 20}, None),
        ({"unanswered": 100}, 1900),
        ({"established": 1800, "unanswered": 100}, 1700),
        ({"established": None, "unanswered": None}, None),
    ],
)
def test_a_row_is_one_of_the_connections_that_had_a_part_in_it(changes: dict[str, int | None], there: int | None) -> None:
    assert audit.connections_there(seen(**changes)) == there


def test_a_connection_that_waits_in_a_long_queue_has_a_part_in_the_load() -> None:
    slow_server = with_client(established=500, unanswered=480)
    assert audit.connections_there(a_sound_cell(60, connections_seen=slow_server)) is None
    assert audit.connections_there(a_sound_cell(connections_seen=closing(50_000))) is None

"""A report of several servers: a row for each, held against the first, with the network that lay between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.report import EXPORTS, Report, compare, render_terminal
from benchrig.report.claims.terminal import render_terminal as render_claims
from benchrig.report.compare.terminal import render as render_comparison
from benchrig.report.load import load
from benchrig.report.ranks import places
from benchrig.report.sentences import outcome as words_of
from benchrig.report.servers import beside_first
from benchrig.report.table import Row, Table, make, on_first_server
from benchrig.results import audit, store
from benchrig.results.codes import Code
from benchrig.results.model import DatabaseLoad, DatabaseNetwork, Network, Run
from benchrig.units import bits_per_second
from tests.support import ROOT
from tests.support.reports import PUBLISHED, VERDICTS, a_cell, a_latency, a_load, a_run, missing, on_machines

NETWORKS = (Network("load1", "web1", 85.0, 1402.0, 9.41e9), Network("load1", "web2", 90.0, 150.0, 87.3e6))
TWO = ("web1", "web2")


def two_servers(*names: str, **changes: object) -> Run:
    return replace(a_run(*names), servers=TWO, networks=NETWORKS, **changes)


def on_both(name: str, *requests: tuple[int, int], **changes: Any) -> list[Any]:
    """Return a row's cells: a repeat for each pair of counts, of the first and of the second server."""
    defaults = {"sleep_seconds": 0.0, "load_on_server": False, **changes}
    return [
        a_cell(name, repeat, load=a_load(count), host=host, raw=f"raw/{host}/{name}-{repeat}.txt", **defaults)
        for repeat, counts in enumerate(requests, 1)
        for host, count in zip(TWO, counts, strict=True)
    ]


def table_of(*cells: Any, run: Run | None = None) -> Table:
    return beside_first(make(run or two_servers(*dict.fromkeys(cell.name for cell in cells)), cells, PUBLISHED))


def by_label(table: Table) -> Mapping[str, Row]:
    return {row.label: row for row in table.rows}


def test_each_server_has_a_row_of_its_own_and_ranks_are_each_servers() -> None:
    go, sanic = (50_000, 50_100, 50_200), (60_000, 60_100, 60_200)
    table = table_of(*on_both("go-2000", *zip(go, sanic, strict=True)), *on_both("sanic", *zip(sanic, go, strict=True)))
    rows = by_label(table)
    assert list(rows) == ["go-2000 on web1", "go-2000 on web2", "sanic on web1", "sanic on web2"]
    assert [places(row.rank) for row in table.rows] == ["2", "1", "1", "2"]
    assert all(row.published for row in table.rows)


SLOW = (50_000, 50_100, 50_200, 50_300, 50_400, 50_500)


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (tuple(2 * count for count in SLOW), "faster"),
        (tuple(count // 2 for count in SLOW), "slower"),
        (SLOW, "no difference shown"),
    ],
)
def test_the_others_are_compared_with_the_first_by_their_repeats(second: tuple[int, ...], outcome: str) -> None:
    first, other = table_of(*on_both("go-2000", *zip(SLOW, second, strict=True))).rows
    assert first.beside is None
    assert other.beside is not None
    assert words_of(other.beside.outcome) == outcome
    assert other.beside.ratio == pytest.approx(sum(second) / sum(SLOW), rel=0.001)


def test_without_enough_repeats_or_figures_the_outcome_is_not_known_and_names_the_server() -> None:
    (_, few) = table_of(*on_both("go-2000", (50_000, 90_000))).rows
    assert few.beside is not None
    assert words_of(few.beside.outcome) == "not known (1 repeat; 3 are needed)"
    failed = [replace(missing("go-2000", "failed", "it died"), host="web1"), a_cell("go-2000", host="web2")]
    (_, lone) = table_of(*failed).rows
    assert lone.beside is not None
    assert (lone.beside.ratio, words_of(lone.beside.outcome)) == (None, "not known (not measured in web1)")


def test_a_server_that_loads_itself_is_not_compared_with_one_that_does_not() -> None:
    first, second = on_both("go-2000", (50_000, 90_000))
    (_, row) = table_of(replace(first, load_on_server=True), second).rows
    assert row.beside is not None
    assert words_of(row.beside.outcome).startswith("not comparable")


def test_a_server_that_keeps_the_data_is_not_compared_with_one_that_asks_another_machine_for_it() -> None:
    first, second = on_both("go-2000", (50_000, 90_000))
    here = replace(first, database=DatabaseLoad(None, 20, 1, 0, on_server=True))
    (_, row) = table_of(here, replace(second, database=DatabaseLoad(None, 20, 1, 0, on_server=False))).rows
    assert row.beside is not None
    assert words_of(row.beside.outcome) == "not comparable (one server ran its own database)"


def test_every_form_of_the_report_has_the_servers_and_the_network_between() -> None:
    report = Report(table_of(*on_both("go-2000", (50_000, 90_000))), VERDICTS)
    texts = {name: export(report) for name, export in EXPORTS.items()} | {"terminal": render_terminal(report)}
    for name in ("report.md", "report.html", "terminal"):
        for said in (
            "load1 to web1: round trip 85 µs (p99 1.4 ms), 9.41 Gbit/s",
            "load1 to web2: round trip 90 µs (p99 150 µs), 87.3 Mbit/s",
            "servers: each row of web2 is compared with web1.",
            "Claims are judged by web1.",
            "not known",
            "1.80",
        ):
            assert said in texts[name], (name, said)
    _, line = texts["report.csv"].splitlines()[1:]
    assert ",web2," in line
    assert ",1.8,not known (1 repeat; 3 are needed),90.0,150.0,87300000.0," in line
    document = json.loads(texts["report.json"])
    assert document["run"]["networks"] == [asdict(between) for between in NETWORKS]
    assert [row["host"] for row in document["rows"]] == ["web1", "web2"]


TO_DATABASE = DatabaseNetwork("server1", "db1", 70.0, 1230.0, 12.3e9)


def on_three(kind: str, **changes: Any) -> Report:
    run = replace(on_machines(kind, "server1", "db1", "load1"), database_networks=(TO_DATABASE,), **changes)
    return Report(make(run, [a_cell("go-2000", host="server1", load_on_server=False)]))


def texts(report: Report) -> Mapping[str, str]:
    files = {name: export(report) for name, export in EXPORTS.items()}
    # A terminal has its lines wrapped.
    return files | {"terminal": " ".join(render_terminal(report).split())}


def test_every_form_of_the_report_has_the_network_between_server_and_database() -> None:
    found = texts(on_three("existing", networks=(replace(NETWORKS[0], server="server1"),)))
    for name in ("report.md", "report.html", "terminal"):
        first = found[name].index("load1 to server1: round trip 85 µs (p99 1.4 ms), 9.41 Gbit/s")
        second = found[name].index("server1 to db1: round trip 70 µs (p99 1.23 ms), 12.3 Gbit/s")
        assert first < second
    assert json.loads(found["report.json"])["run"]["database_networks"] == [asdict(TO_DATABASE)]


@pytest.mark.parametrize("kind", ["lab", "vagrant", "qemu"])
def test_machines_that_share_a_computer_are_told_with_what_that_means_for_the_figures(kind: str) -> None:
    found = texts(on_three(kind, computer_cores=2))
    said = (
        "server1, db1 and load1 are on one computer and share its 2 CPU cores. "
        "The values show that they work over a network, not how fast each is alone."
    )
    assert all(found[name].count(said) == 1 for name in ("report.md", "report.html", "terminal"))
    assert json.loads(found["report.json"])["run"]["computer_cores"] == 2


def test_of_a_run_that_did_not_keep_the_computers_cores_it_is_told_without_them() -> None:
    assert "server1, db1 and load1 are on one computer and share its CPU cores. " in texts(on_three("lab"))["report.md"]


def test_nothing_is_said_of_machines_that_are_not_benchrigs_nor_of_one_alone_nor_of_servers_that_load_themselves() -> None:
    alone = make(on_machines("lab", "server1"), [a_cell("go-2000", host="server1")])
    several = replace(on_machines("lab", *TWO), servers=TWO)
    for report in (on_three("existing"), Report(alone), Report(table_of(run=several))):
        assert "on one computer" not in render_terminal(report)


def test_with_one_server_nothing_is_said_of_servers() -> None:
    report = Report(table_of(a_cell("go-2000"), run=a_run("go-2000")))
    for text in (render_terminal(report), EXPORTS["report.md"](report)):
        assert "servers:" not in text
        assert "| host |" not in text
        assert "against" not in text


def test_warnings_and_rows_that_were_not_run_are_told_with_their_server() -> None:
    first, second = on_both("go-2000", (50_000, 90_000))
    overflown = replace(second.server, listen_overflows=7)
    table = table_of(first, replace(second, server=overflown), run=two_servers("go-2000", "sanic"))
    text = render_terminal(Report(table))
    assert "go-2000 on web2: The listen backlog overflowed 7 times." in text
    assert "not run: sanic on web1, sanic on web2" in text


def test_a_row_that_only_one_server_came_to_is_incomplete() -> None:
    table = table_of(on_both("go-2000", (50_000, 90_000))[0])
    assert (table.not_run, table.incomplete) == (("go-2000 on web2",), True)


def test_claims_are_held_to_the_first_server(tmp_path: Path) -> None:
    cells = [*on_both("go-2000", (50_000, 1)), *on_both("sanic", (40_000, 2))]
    first = on_first_server(table_of(*cells))
    assert [(row.label, row.host) for row in first.rows] == [("go-2000", "web1"), ("sanic", "web1")]
    assert first.not_run == ()
    folder = store.create(tmp_path, "web-frameworks")
    store.write_run(folder, two_servers("go-2000", "sanic"))
    for cell in cells:
        store.append(folder, cell)
    report = load(folder, ROOT)
    measured = {one.name: one.value for verdict in report.verdicts for one in verdict.measured}
    assert measured["throughput(go-2000)"] == 10_000
    last = render_claims(report.verdicts, report.table.first_server).split("\n\n")[-1]
    assert last.startswith("53 claims, on web1 alone: ")


def test_two_runs_are_compared_server_by_server_and_one_server_with_the_first_of_several() -> None:
    several = Report(table_of(*on_both("go-2000", (50_000, 90_000))))
    assert compare([several, several]).pairings[0].rows == ("go-2000 on web1", "go-2000 on web2")
    one = Report(table_of(a_cell("go-2000"), run=a_run("go-2000")))
    (pairing,) = compare([one, several]).pairings
    assert [row.host for row in pairing.b.rows] == ["web1"]
    text = render_comparison(compare([one, several])).text
    assert "servers: of B, web1 alone" in text
    assert "load generator: A on the server; B on another machine" in text


# A reply of 118 bytes takes 184 with its headers, and 250 where the request was acknowledged before.
@pytest.mark.parametrize(
    ("latency_ms", "bandwidth", "bound"),
    [
        (101.0, 19_200 * 250 * 8 / 1.0456 / 0.79, False),
        (101.0, 19_200 * 250 * 8 / 1.0456 / 0.81, True),
        (10.0, 19_200 * 184 * 8 / 1.0456 / 0.79, False),
        (10.0, 19_200 * 184 * 8 / 1.0456 / 0.81, True),
    ],
)
def test_replies_that_fill_four_fifths_of_the_network_have_a_warning(
    latency_ms: float, bandwidth: float, bound: bool
) -> None:
    cell = a_cell()
    assert cell.load is not None
    quick = replace(
        cell,
        load=replace(cell.load, latency=a_latency(latency_ms, 9e3), measured=a_latency(latency_ms, 9e3)),
    )
    between = replace(NETWORKS[0], server=cell.host, bandwidth_bits_per_second=bandwidth)
    found = {warning.code for warning in audit.warnings(quick, replace(a_run(), networks=(between,)))}
    assert (Code.NETWORK_BOUND in found) == bound
    assert Code.NETWORK_BOUND not in {one.code for one in audit.warnings(quick, replace(a_run(), networks=NETWORKS))}


def test_a_bandwidth_is_written_with_three_digits() -> None:
    assert [bits_per_second(value) for value in (9.414e9, 87.34e6, 950e6)] == ["9.41 Gbit/s", "87.3 Mbit/s", "950 Mbit/s"]


def test_runs_from_before_there_were_servers_stay_readable(tmp_path: Path) -> None:
    folder = store.create(tmp_path, "web-frameworks")
    record = asdict(a_run("go-2000")) | {"settings": {"duration": "5 s", "timeout": "10 s", "threads": "4", "repeats": "1"}}
    for added in ("servers", "networks", "database_networks", "computer_cores"):
        del record[added]
    (folder / store.RUN).write_text(json.dumps(record))
    cell = asdict(a_cell("go-2000"))
    del cell["beside"]
    (folder / store.CELLS).write_text(json.dumps(cell) + "\n")
    (row,) = load(folder, ROOT).table.rows
    assert (row.label, row.figures != {}, row.beside, row.network) == ("go-2000", True, None, None)

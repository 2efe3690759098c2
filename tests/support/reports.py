"""Runs and cells made up for tests of the report: no machine is needed to have a table of every kind of row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchrig.machines import kind as machine_kind
from benchrig.report import Report, published
from benchrig.report.table import make
from benchrig.report.verdict import Quantity, Reason, Verdict, Why, Word
from benchrig.results.codes import Code
from benchrig.results.model import (
    Cell,
    ClientEnd,
    ConnectionsSeen,
    Descriptors,
    Generator,
    Latency,
    Load,
    LoadErrors,
    Machine,
    Run,
    Segments,
    ServerEnd,
    ServerLoad,
    Settings,
)
from tests.support import ROOT

PUBLISHED = published.read("web-frameworks", ROOT)
NGINX = "nginx 1.22.1 + Lua 0.10.23"

GENERATOR = Generator(
    command=("wrk", "-t4", "-c2000", "-d5s", "http://127.0.0.1:8080/health"),
    exit_code=0,
    wall_seconds=5.1,
    cpu_seconds=0.4,
)
SERVER = ServerLoad(
    seconds=5.0,
    cpu_percent=61.5,
    memory_peak_bytes=40_000_000,
    processes=1,
    load_average=1.2,
    machine_idle_percent=61.0,
    machine_steal_percent=0.0,
    machine_interrupt_percent=4.0,
    listen_overflows=0,
    listen_drops=0,
    retransmits=0,
    time_wait_peak=12,
    samples=5,
    sampler_cpu_seconds=0.01,
)

SEEN = ConnectionsSeen(
    client=ClientEnd(2000, unanswered=0, opened=2000, time_wait=None, local_ports=64512),
    server=ServerEnd(2000, unaccepted=0, opened=2000, time_wait=None),
    descriptors=Descriptors(2010, 20_000, 2010),
)
"""The connections of a sound cell."""


def with_client(**changes: object) -> ConnectionsSeen:
    """Return what was seen of a cell whose load host counted otherwise."""
    assert SEEN.client
    return replace(SEEN, client=replace(SEEN.client, **changes))  # type: ignore[arg-type]


SPREAD = with_client(segments=Segments(45, 47, 48, 50, few=0))
"""The same, where the spread between them is known."""


def closing(opened: int) -> ConnectionsSeen:
    """Return what was seen of a server that closes connections, so that so many were opened."""
    assert SEEN.client
    assert SEEN.server
    server = replace(SEEN.server, opened=opened, time_wait=opened)
    return replace(SEEN, client=replace(SEEN.client, opened=opened, unanswered=900, received_bytes=0), server=server)


def a_load(requests: int = 96_000, **errors: int) -> Load:
    percentiles = {"50": 101_000.0, "75": 101_900.0, "90": 103_000.0, "99": 108_000.0, "99.9": 117_000.0}
    measured = Latency(mean_us=101_560.0, stdev_us=1_480.0, min_us=100_100.0, max_us=121_620.0, percentiles_us=percentiles)
    corrected = {name: value + 500 for name, value in percentiles.items()}
    return Load(
        requests=requests,
        duration_us=5_000_000,
        bytes=requests * 118,
        errors=LoadErrors(**errors),
        latency=replace(measured, mean_us=101_600.0, stdev_us=1_500.0, percentiles_us=corrected),
        measured=measured,
        replies_checked=requests,
        replies_wrong=0,
    )


OF_TEXTS = frozenset(
    map(
        Code,
        [
            "no_requests",
            "status_errors",
            "late_impossible",
            "rate_impossible",
            "interrupted",
            "overrun",
            "incomplete",
            "pipelining_unknown",
            "rate_missed",
            "load_impossible",
            "no_latency",
        ],
    )
)
"""Warnings that only texts have, which tests/report/texts/ causes: a cell of ours has failed where it would have one."""


def a_latency(mean_ms: float, max_ms: float) -> Latency:
    """Return latencies that are possible together."""
    mean = mean_ms * 1e3
    percentiles = dict.fromkeys(("50", "75", "90", "99", "99.9"), mean)
    return Latency(mean_us=mean, stdev_us=0.0, min_us=min(mean, 100.0), max_us=max_ms * 1e3, percentiles_us=percentiles)


def a_cell(name: str = "go-2000", repeat: int = 1, load: Load | None = None, **changes: object) -> Cell:
    cell = Cell(
        name=name,
        app="go",
        system="Go 1.22.12",
        host="lab1",
        repeat=repeat,
        connections=2000,
        threads=4,
        duration_seconds=5.0,
        timeout_seconds=10.0,
        status="measured",
        sleep_seconds=0.1,
        cores=2,
        load=load or a_load(),
        generator=GENERATOR,
        server=SERVER,
        versions={"go": "1.22.12"},
        raw=f"raw/{name}-{repeat}.txt",
    )
    return replace(cell, **changes)


def repeats_of(name: str, *requests: int, **changes: object) -> list[Cell]:
    """Return a row's cells: one repeat for each of these counts of requests in 5 s."""
    return [a_cell(name, repeat, load=a_load(count), **changes) for repeat, count in enumerate(requests, 1)]


def missing(name: str, status: str, reason: str, connections: int = 2000, **changes: object) -> Cell:
    bare = a_cell(name, status=status, reason=reason, connections=connections, generator=None, server=None)
    return replace(bare, load=None, **changes)


def a_run(*rows: str, finished: bool = True) -> Run:
    machine = Machine(
        name="lab1",
        kind="lab",
        cpu="Example CPU @ 2.0 GHz",
        cores=2,
        memory_bytes=8 * 2**30,
        kernel="6.1.0-26-amd64",
        os="Debian GNU/Linux 12 (bookworm)",
        virtualization="systemd-nspawn",
        sysctls={"net.core.somaxconn": "65535"},
        limits={"nofile": "20000"},
        versions={"wrk": "4.1.0"},
        made_here=True,
        shares_kernel=True,
    )
    return Run(
        name="2025-01-02T03-04-05",
        suite="web-frameworks",
        suite_title="Web frameworks",
        profile="quick",
        inventory="lab",
        rows=rows,
        settings=Settings(duration_seconds=5.0, warm_up_seconds=1.0, timeout_seconds=10.0, threads=4, repeats=1),
        published="web-frameworks",
        started_at="2025-01-02T03:04:05Z",
        finished_at="2025-01-02T03:06:05Z" if finished else "",
        machines=(machine,),
        git_commit="abc1234",
        benchrig_version="0.1.0",
    )


def on_machines(kind: str, *names: str) -> Run:
    """Return a run on machines of a kind, of two cores each; the first is the server."""
    registered = machine_kind(kind)
    (one,) = a_run().machines
    one = replace(one, kind=kind, made_here=registered.made_here, shares_kernel=registered.shares_kernel)
    machines = tuple(replace(one, name=name) for name in names)
    return replace(a_run("go-2000"), machines=machines, servers=names[:1])


def every_kind() -> Report:
    """Return the report of a run with a row of every kind."""
    cells = [
        a_cell("flask-sync", system="Flask 3.0.3 | sync", load=a_load(900, read=2, timeout=40)),
        a_cell("go-2000"),
        missing("go-20000", "not_possible", "20,000 connections need 20,100 descriptors, the limit is 20,000", 20_000),
        missing("sanic", "failed", "it does not answer\nTraceback:\n  ImportError: no *sanic*", system="Sanic"),
        a_cell("openresty-2000", system=NGINX, load=a_load(97_000)),
    ]
    return Report(make(a_run("flask-sync", "go-2000", "go-20000", "sanic", "openresty-2000"), cells, PUBLISHED))


def a_report(*names: str, cells: Sequence[Cell] = (), **changes: object) -> Report:
    """Return the report of a run of these rows, of one repeat each unless `cells` says otherwise."""
    return Report(make(replace(a_run(*names), **changes), cells or [a_cell(name) for name in names]))


VERDICTS = tuple(
    Verdict(
        claim=f"claim-{number}",
        says=f"the {word} one is <b>fast</b> | faster",
        place="summary, 2nd sentence",
        expression="throughput(go-2000) >= 7 * throughput(flask-sync)",
        word=word,
        reason=Reason(Why.RELATIONS, (f"because it is {word}",)),
        published=(Quantity("throughput(go-2000)", "19,643.94 requests/s", 19643.94, None, None),),
        measured=(Quantity("throughput(go-2000)", "19,200 (19,100 to 19,300) requests/s", 19200.0, 19100.0, 19300.0),),
        notes=("at the ceiling",),
        causes=("the listen backlog",),
    )
    for number, word in enumerate([word for word in Word for _ in range(1 + (word is Word.CONTRADICTED))], 1)
)
"""A verdict of every kind, two of one."""

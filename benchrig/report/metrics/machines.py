"""Metrics of the database, the server and the load generator."""

from __future__ import annotations

from collections.abc import Callable

from benchrig.report.metrics.metric import Metric
from benchrig.report.readers import cpu_microseconds_per_request, generator_cpu_percent, of_server
from benchrig.results.model import ServerLoad
from benchrig.units import BYTES, COUNT, MICROSECONDS, NUMBER, PERCENT_OF_A_CORE


def _most_counted(name: str, heading: str, meaning: str, count: Callable[[ServerLoad], int]) -> Metric:
    """Return the metric of a counter of the server's kernel; of several repeats, the most counts."""
    return Metric(
        name=name, heading=heading, meaning=meaning, unit=COUNT, kind="count", combined="max", read=of_server(count)
    )


MACHINES: tuple[Metric, ...] = (
    Metric(
        name="stored",
        heading="rows\nstored",
        meaning="rows that the load added to the database, where it should add any",
        unit=COUNT,
        kind="count",
        read=lambda cell: cell.database.stored if cell.database else None,
        priority=100,
    ),
    Metric(
        name="sessions",
        heading="database\nsessions",
        meaning="sessions that were begun at the database during the load",
        unit=COUNT,
        kind="count",
        read=lambda cell: cell.database.sessions if cell.database else None,
    ),
    Metric(
        name="server_cpu_percent",
        heading="server\nCPU",
        meaning="CPU use of all the app's processes; 100 % is one core fully used",
        unit=PERCENT_OF_A_CORE,
        kind="lower is better",
        read=of_server(lambda server: server.cpu_percent),
        priority=50,
        function="cpu",
    ),
    Metric(
        name="cpu_per_request_us",
        heading="CPU per\nrequest",
        meaning="CPU time that all the app's processes used during the load, divided by the replies that were counted",
        unit=MICROSECONDS,
        kind="lower is better",
        read=cpu_microseconds_per_request,
        compared=True,
    ),
    Metric(
        name="server_processes",
        heading="server\nprocesses",
        meaning="most processes of the app at once",
        unit=COUNT,
        kind="count",
        read=of_server(lambda server: server.processes),
        function="processes",
    ),
    Metric(
        name="server_memory_peak_bytes",
        heading="server\nmemory",
        meaning="most resident memory of all the app's processes together; a page that two of them share counts twice",
        unit=BYTES,
        kind="lower is better",
        combined="max",
        read=of_server(lambda server: server.memory_peak_bytes),
        compared=True,
        function="memory",
    ),
    Metric(
        name="load_average",
        heading="load\naverage",
        meaning="load average of the server over the last minute, at the end of the load",
        unit=NUMBER,
        kind="lower is better",
        rises=True,
        read=of_server(lambda server: server.load_average),
    ),
    _most_counted(
        "listen_overflows",
        "listen\noverflows",
        "times that the kernel found the server's listen backlog full",
        lambda server: server.listen_overflows,
    ),
    _most_counted(
        "listen_drops",
        "listen\ndrops",
        "connections that the server's kernel dropped before the server accepted them",
        lambda server: server.listen_drops,
    ),
    _most_counted(
        "retransmits",
        "TCP\nretransmits",
        "TCP segments that the server's machine sent again",
        lambda server: server.retransmits,
    ),
    _most_counted(
        "time_wait_peak",
        "peak\nTIME_WAIT",
        "most closed connections that the server's machine held in TIME_WAIT at once",
        lambda server: server.time_wait_peak,
    ),
    Metric(
        name="generator_cpu_percent",
        heading="generator\nCPU",
        meaning="CPU use of the load generator; 100 % is one core fully used",
        unit=PERCENT_OF_A_CORE,
        kind="lower is better",
        read=generator_cpu_percent,
    ),
)

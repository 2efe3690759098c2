"""The codes of all warnings: what each one is called, what it spoils, and how its sentence reads.

To add a warning, add an entry to `Code` here and a detector in a module of `audit/`. `report/sentences.py` puts the
values into the sentence; no program takes a sentence apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum


class Spoils(StrEnum):
    """What a warning casts doubt on. With an invalid warning, these values of the row must not be used."""

    RATE = "rate"
    """Throughput and CPU."""
    LATENCY = "latency"
    COUNTS = "counts"
    """What was counted, such as late replies."""
    RANK = "rank"
    """The values are right, but the row must not be ranked by them, or shares its rank."""


_RATE, _LATENCY, _COUNTS, _RANK = Spoils


class Code(Enum):
    """Every warning: its code in `report.json`, what it spoils, and its sentence.

    In a sentence, `{name}` stands for a value; `{name:core}` for a count with its noun; `{name:and}` for a list of names.
    Where a warning has several cases, there is a sentence for each, chosen by its value `case`.
    """

    spoils: frozenset[Spoils]
    sentences: Mapping[str, str]
    """By case; a warning of one case has it under ''."""

    def __new__(cls, code: str, spoils: Iterable[Spoils], sentence: str | Mapping[str, str]) -> Code:
        """Make an entry whose value is its code alone."""
        entry = object.__new__(cls)
        entry._value_ = code
        entry.spoils = frozenset(spoils)
        entry.sentences = {"": sentence} if isinstance(sentence, str) else sentence
        return entry

    TIMEOUTS = "timeouts", {_LATENCY}, "{late} of {requests} replies came after the timeout of {timeout}."
    LATENCY_CLIPPED = (
        "latency_clipped",
        {_LATENCY},
        "Latency is cut off at the timeout of {timeout}. Later replies are missing from mean, maximum and percentiles.",
    )
    UNANSWERED = (
        "unanswered",
        {_LATENCY},
        "At least {unanswered} of {connections} connections never got a reply. They are missing from all values.",
    )
    CEILING = (
        "ceiling",
        {_RANK},
        "The throughput is at its ceiling: {connections} connections with {sleep} of waiting per request allow {allowed}. "
        "The row reaches {share} of it, and the system may be able to do more.",
    )
    SLEEP_WRONG = (
        "sleep_wrong",
        {_RANK},
        "'sleep_seconds' in app.yml is wrong: {connections} connections with {sleep} of waiting per request allow "
        "{allowed}, but {rate} were measured.",
    )
    LITTLES_LAW = (
        "littles_law",
        {_LATENCY},
        {
            "understated": "Mean latency is understated: Little's law predicts {factor} times more. "
            "Slow or unanswered connections are missing from it.",
            "impossible": "Mean latency is impossible: Little's law allows {factor} times less. "
            "Either requests overlapped on their connections, or the counts are wrong.",
            "overstated": "Mean latency is overstated: Little's law predicts {factor} times less. "
            "The load generator's correction adds latencies of requests that were never sent.",
        },
    )
    CONNECTION_ERRORS = (
        "connection_errors",
        {_RATE},
        {
            "connect": "{failed:connection} could not be opened.",
            "read": "{failed:connection} broke while reading.",
            "write": "{failed:connection} broke while writing.",
        },
    )
    DEAD_CONNECTIONS = (
        "dead_connections",
        {_RATE, _LATENCY, _COUNTS},
        {
            "unaccepted": "The app never accepted {dead} of {connections} connections. The values are those of the others.",
            "unanswered": "{dead} of {connections} connections never got a reply. The values are those of the others.",
        },
    )
    MISSING_CONNECTIONS = (
        "missing_connections",
        {_RATE, _LATENCY, _COUNTS},
        "Only {established} of {connections} connections were there at the end of the load.",
    )
    DESCRIPTOR_LIMIT = (
        "descriptor_limit",
        {_RATE, _LATENCY, _COUNTS},
        "The app was at its limit of file descriptors: {open} of {limit} were open. It can accept no more connections.",
    )
    SILENT_END = (
        "silent_end",
        {_RATE, _LATENCY, _COUNTS},
        "No reply came on any connection for {silent} before the end of the load.",
    )
    WRONG_AFTER = (
        "wrong_after",
        {_RATE, _LATENCY, _COUNTS},
        "The app no longer answered as before when it was asked once more after the load ({reason}).",
    )
    NO_KEEP_ALIVE = (
        "no_keep_alive",
        {_RATE, _LATENCY},
        "The server closes its connections: each of {opened} connections carried {each} requests. "
        "The throughput is a rate of connections, and the time to connect is in no latency.",
    )
    PORTS_HELD = (
        "ports_held",
        {_RATE, _LATENCY, _COUNTS},
        "Closed connections (TIME_WAIT) held {held} ports, and the load host has {ports}. The values measure that range.",
    )
    NOT_STORED = "not_stored", {_RANK}, "The database stored {stored} of {requests} rows that replies confirmed."
    GENERATOR_SATURATED = (
        "generator_saturated",
        {_RATE, _LATENCY},
        "The load generator was the bottleneck: it used {busy} of the {cores:core} it can use.",
    )
    LISTEN_BACKLOG = (
        "listen_backlog",
        {_LATENCY},
        "The listen backlog overflowed {overflows:time}. A dropped connection is tried again after a second or more.",
    )
    NO_IDLE_CPU = (
        "no_idle_cpu",
        {_RATE, _LATENCY},
        "No CPU was idle, and the load generator ran on the server. They took CPU time from each other.",
    )
    NETWORK_BOUND = (
        "network_bound",
        {_RATE},
        "Replies with their packet headers took {used}: {share} of what the network from {server} to {load_host} carries. "
        "The system may be able to do more.",
    )
    STEAL = (
        "steal",
        {_RATE, _LATENCY},
        "The hypervisor took {share} of the CPU time of {machines:and} (steal).",
    )
    DISTURBED = (
        "disturbed",
        {_RATE, _LATENCY, _COUNTS},
        "Something other than {ours:or} used {share} of the CPU time of {machines:and}.",
    )
    EMULATED = (
        "emulated",
        {_RATE, _LATENCY, _COUNTS},
        "The values say nothing about real hardware, because these machines are emulated: {machines:and}.",
    )
    RESUMED = (
        "resumed",
        {_RANK},
        {
            "same": "The run was interrupted and resumed: {repeats}.",
            "changed": "The run was interrupted, and resumed under other conditions: {changed}. Of this row: {repeats}.",
        },
    )
    REPEAT_MISSING = "repeat_missing", {_RANK}, "{missing} of {repeats} repeats were not measured: {reason}"

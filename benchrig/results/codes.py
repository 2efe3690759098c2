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
    RAMP = (
        "ramp",
        {_RATE},
        "Connections were being opened for the first {connecting}. Until {seconds}, the throughput was lower than later; "
        "the throughput of the whole load is {cost} below that of the steady part.",
    )
    WARMING_UP = (
        "warming_up",
        {_RATE, _LATENCY},
        "The server became faster for the first {seconds}, until it was warm; "
        "the throughput of the whole load is {cost} below that of the steady part.",
    )
    DRIFT = (
        "drift",
        {_RATE, _LATENCY},
        {
            "rising": "Throughput rose during the whole load, by {change} from start to end.",
            "falling": "Throughput fell during the whole load, by {change} from start to end.",
        },
    )
    STEP = (
        "step",
        {_RATE, _LATENCY},
        {
            "warm-up": "Throughput changed at once, {steps:time}, and was highest at the end: "
            "{change} after {seconds} was the largest change.",
            "slowdown": "Throughput changed at once, {steps:time}, and was not highest at the end: "
            "{change} after {seconds} was the largest change.",
            "no steady state": "Throughput changed at once, {steps:time}, shortly before the end too, "
            "so it has no steady state: {change} after {seconds} was the largest change.",
        },
    )
    STALLS = (
        "stalls",
        {_RATE, _LATENCY},
        "The server sent almost nothing {stalls:time}: for {total} of the load together, and for {longest} at most.",
    )
    MEMORY_GROWS = (
        "memory_grows",
        {_RATE},
        "The app's memory grew during the whole load, by {rate}: {each} for a million requests. "
        "The value of a longer load would be higher.",
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

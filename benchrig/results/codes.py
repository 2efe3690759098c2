"""The codes of all warnings: what each one is called, what it spoils, and how its sentence reads.

To add a warning, add an entry to `Code` here and a detector in a module of `audit/`. Many sentences of one warning are in
`cases.py`. `report/sentences.py` puts the values into the sentence; no program takes a sentence apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from benchrig.results import cases
from benchrig.results.spoils import Spoils

_RATE, _LATENCY, _COUNTS, _RANK = Spoils

_LABELS = {
    "cut_by_end": "load too short",
    "littles_law": "Little's law",
    "no_idle_cpu": "no idle CPU",
    "no_keep_alive": "no keep-alive",
}
"""What warnings are called whose codes do not read as words."""


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

    @property
    def label(self) -> str:
        """What the warning is called in English: `latency clipped`. `report/sentences.title` says it in a language."""
        code: str = self.value
        return _LABELS.get(code, code.replace("_", " "))

    NO_REQUESTS = "no_requests", {_RATE, _LATENCY, _COUNTS}, "No request was answered."
    STATUS_ERRORS = (
        "status_errors",
        {_RATE, _LATENCY, _COUNTS},
        {
            "": "{failed} of {requests} replies were errors (status 400 or more); {good} were good.",
            "count": "{failed} replies were errors (status 400 or more). How many there were is not known.",
        },
    )
    TIMEOUTS = (
        "timeouts",
        {_LATENCY},
        {
            "": "{late} of {requests} replies came after the timeout of {timeout}.",
            "default": "{late} of {requests} replies came after the timeout of {timeout}, the load generator's default.",
            "unknown": "{late} of {requests} replies came after the timeout, which is not known.",
            "count": "{late} replies came after the timeout. How many there were is not known.",
            "checks": "wrk2 found a connection waiting for longer than its timeout {late:time}. It looks at regular times.",
        },
    )
    LATENCY_CLIPPED = (
        "latency_clipped",
        {_LATENCY},
        {
            "": "Latency is cut off at the timeout of {timeout}. "
            "Later replies are missing from mean, maximum and percentiles.",
            "default": "Latency is cut off at the timeout of {timeout}, the load generator's default. "
            "Later replies are missing from mean, maximum and percentiles.",
            "unknown": "Latency is cut off at a timeout that is not known. "
            "Later replies are missing from mean, maximum and percentiles.",
        },
    )
    LATE_IMPOSSIBLE = (
        "late_impossible",
        {_COUNTS},
        "{late} late replies are more than the {most} that {connections} connections can have at a timeout of {timeout}. "
        "An old load generator counts a slow reply several times; or the timeout was another.",
    )
    LATENCY_IMPOSSIBLE = (
        "latency_impossible",
        {_LATENCY},
        {
            "order": "The latencies cannot be right: the {lower} of {low} is above the {upper} of {high}.",
            "below": "The latencies cannot be right: with these percentiles, the mean is at least {least}, not {mean}.",
            "above": "The latencies cannot be right: with these percentiles, the mean is at most {most}, not {mean}.",
            "stdev": "The latencies cannot be right: with this mean and maximum, the standard deviation is at most {most}, "
            "not {stdev}.",
        },
    )
    RATE_IMPOSSIBLE = (
        "rate_impossible",
        {_RATE, _COUNTS},
        {
            "requests": "The figures contradict each other: requests and duration make {computed}, not {rate}.",
            "bytes": "The figures contradict each other: bytes and duration make {computed} a second, not {rate}.",
            "no_time": "The duration is impossible: {requests:request} took no time.",
            "clock": "The duration is impossible: {requests:request} in {ran}. "
            "The clock of the load generator's machine was set back during the run.",
        },
    )
    RATE_MISSED = (
        "rate_missed",
        {_RATE, _LATENCY},
        {
            "": "{reached} of {asked} that were asked for were reached.",
            "queue": "{reached} of {asked} that were asked for were reached. A latency of {latency} in {ran} is that of the "
            "queue of requests that could not be sent in time, and grows with the duration.",
            "unknown": "The rate that was asked for was not reached. A latency of {latency} in {ran} is that of the "
            "queue of requests that could not be sent in time, and grows with the duration.",
        },
    )
    LOAD_IMPOSSIBLE = (
        "load_impossible",
        {_RATE, _LATENCY, _COUNTS},
        "No load generator makes this load: it refuses {threads:thread} for {connections:connection}.",
    )
    NO_LATENCY = "no_latency", {_LATENCY}, "No latency was recorded of {requests:request}. The zeros stand for none."
    INTERRUPTED = "interrupted", {_RATE, _LATENCY, _COUNTS}, "The run was interrupted after {ran} of {asked}."
    OVERRUN = (
        "overrun",
        {_RATE, _LATENCY, _COUNTS},
        "The run took {ran} in place of {asked}: the load generator was held up.",
    )
    INCOMPLETE = "incomplete", {_RANK}, "The text lacks {missing:and}. What rests on that was not checked."
    CUT_BY_END = (
        "cut_by_end",
        {_LATENCY, _COUNTS},
        {
            "late": "The load ended too early: the slowest reply took {slowest} of {duration}. Replies like it are missing "
            "from latency, and none can be counted as late by the timeout of {timeout}.",
            "slow": "The load ended too early: the slowest reply took {slowest} of {duration}. Replies like it are missing "
            "from latency and counts.",
        },
    )
    STALLED = (
        "stalled",
        {_RATE, _LATENCY},
        {
            "bursts": "The server answered in bursts, or stopped at times: while replies came, throughput was {factor} "
            "times that of the whole load.",
            "pauses": "The server sent almost nothing {stalls:time}: for {total} of the load together, "
            "and for {longest} at most.",
            "slowest": "The slowest reply took {max}: {share} of the run, in which its connection stood still. "
            "Mean and percentiles describe that time, and not the other replies.",
        },
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
    LITTLES_LAW = "littles_law", {_LATENCY}, cases.LITTLES_LAW
    PIPELINING_UNKNOWN = (
        "pipelining_unknown",
        {_LATENCY},
        "Little's law was not checked: the mean is {factor} times what it allows, which is right if the requests were "
        "pipelined. --pipeline says how deep.",
    )
    FEWER_CONNECTIONS = (
        "fewer_connections",
        {_RATE, _LATENCY},
        {
            "connect": "{failed} of {connections} connections could not be opened. The values are those of the others.",
            "threads": "The load generator opens {opened} connections in place of {connections}: as many for each thread.",
        },
    )
    CONNECTION_ERRORS = (
        "connection_errors",
        {_RATE},
        {
            "closed": "{failed:connection} broke while reading, {share} of the requests: the server closes connections, "
            "and the throughput includes opening them anew.",
            "connect": "{failed:connection} could not be opened.",
            "retried": "{failed:attempt} to connect failed and were repeated: "
            "more connections were busy than these would leave.",
            "read": "{failed:connection} broke while reading.",
            "write": "{failed:connection} broke while writing.",
        },
    )
    MISPLACED_REPLIES = (
        "misplaced_replies",
        {_RATE, _LATENCY, _COUNTS},
        "At least {misplaced} of {requests} replies answered another request: {routes:and} was requested {sent:time}, "
        "and its reply came {replies:time}.",
    )
    SAME_REPLY = (
        "same_reply",
        {_RATE},
        "Different requests got the same reply: {requests:and}. If that is right, 'expect' should have the whole reply.",
    )
    PARTLY_CHECKED = (
        "partly_checked",
        {_RATE},
        {
            "status": "Under load, the replies were not compared with all that is expected: {requests:and}.",
            "uncounted": "The row's script makes the requests, so that the replies of {routes:and} were not compared with "
            "the numbers of their requests.",
            "unseen": "{replies} of {requests} replies were not checked: they have no headers, and the load generator "
            "does not show its script such replies.",
            "alike": "{replies} of {requests} replies fit several routes alike: {routes:and}. "
            "Under load it is not known which request each of them answers.",
        },
    )
    DEAD_CONNECTIONS = (
        "dead_connections",
        {_RATE, _LATENCY, _COUNTS},
        {
            "unaccepted": "The app never accepted {dead} of {connections} connections. The values are those of the others.",
            "unanswered": "{dead} of {connections} connections never got a reply. The values are those of the others.",
            "quiet": "{dead} of {connections} connections got no reply for the last {silent} or more, but others did.",
        },
    )
    MISSING_CONNECTIONS = (
        "missing_connections",
        {_RATE, _LATENCY, _COUNTS},
        "Only {established} of {connections} connections were there at the end of the load.",
    )
    UNEQUAL_CONNECTIONS = (
        "unequal_connections",
        {_LATENCY},
        "{few} of {connections} connections got less than a fifth of the median's replies: {least} segments of {median}.",
    )
    DESCRIPTOR_LIMIT = (
        "descriptor_limit",
        {_RATE, _LATENCY, _COUNTS},
        "The app was at its limit of file descriptors: {open} of {limit} were open. It can accept no more connections.",
    )
    SILENT = (
        "silent",
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
        {
            "each": "The server closes its connections: {opened} connections carried {each:request} each. "
            "The throughput is a rate of connections, and the time to connect is not included in any latency.",
            "some": "The server closes connections: {again} were opened anew, for {share} of the requests. "
            "The throughput includes the time to connect, the latencies do not.",
        },
    )
    PORTS_HELD = (
        "ports_held",
        {_RATE, _LATENCY, _COUNTS},
        "Closed connections (TIME_WAIT) held {held} ports, and the load host has {ports}. The values measure that range.",
    )
    NOT_STORED = "not_stored", {_RANK}, "The database stored {stored} of {requests} rows that replies confirmed."
    GENERATOR_SATURATED = "generator_saturated", {_RATE, _LATENCY}, cases.GENERATOR_SATURATED
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
    SERVICE_NOT_WATCHED = (
        "service_not_watched",
        {_RATE, _LATENCY, _COUNTS},
        {
            "": "The service at {address} is not ours, so that its CPU time is not known. It, or something else, used "
            "{share} of the CPU time of {machines:and}.",
            "unknown": "The service at {address} and the load generator ran on one machine. What else used its CPUs is not "
            "known.",
        },
    )
    THROTTLED = (
        "throttled",
        {_RATE, _LATENCY},
        {
            "app": "The control group {group} of {machine} used up its quota of CPU time {periods:time} and was held up for "
            "{held}. The row measures the quota.",
            "generator": "The load generator was the bottleneck: its control group {group} of {machine} used up its quota "
            "of CPU time {periods:time} and was held up for {held}.",
        },
    )
    MEMORY_PRESSURE = (
        "memory_pressure",
        {_RATE, _LATENCY},
        "Programs on {machine} waited for memory in {share} of the time.",
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
    STEP = "step", {_RATE, _LATENCY}, cases.STEP
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
    REPEATS_DRIFT = "repeats_drift", {_RATE, _LATENCY}, cases.REPEATS_DRIFT
    TWO_STATES = "two_states", {_RATE, _LATENCY}, cases.TWO_STATES
    REPEATS_CORRELATED = (
        "repeats_correlated",
        {_RATE, _LATENCY},
        "Each repeat is like the one before it (autocorrelation {correlation}): {repeats} repeats say as much as about "
        "{worth} independent ones, and the interval is too narrow.",
    )
    OUTLIERS = (
        "outliers",
        {_RATE, _LATENCY},
        "{outliers} of {repeats} repeats far from the others ({which}): {rate}, where the median is {median}. "
        "They are not left out.",
    )
    REPEAT_MISSING = "repeat_missing", {_RANK}, "{missing} of {repeats} repeats were not measured: {reason}"

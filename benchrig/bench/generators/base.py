"""The interface of a load generator: a command line for the load host, and readers of what the program writes.

A bench knows nothing else of a generator. What only some generators can do is a capability: a suite that needs one
which its generator lacks is refused before anything runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchrig.bench.traffic import Script, Traffic
from benchrig.results.model import Load, LoadErrors


class OutputError(Exception):
    """A generator's output has no figures, or figures that contradict each other."""


class PatternError(Exception):
    """A capture's pattern is not valid in the generator's pattern language; the text says why."""


@dataclass(frozen=True)
class Shape:
    """How much load, for how long."""

    threads: int
    connections: int
    duration_seconds: float
    timeout_seconds: float | None
    """How long to wait for a reply. None leaves the generator its own default."""


@dataclass(frozen=True)
class CommandLine:
    """What a command line before a generator's text says of the load. None where it is not there or does not say."""

    timeout_seconds: float | None = None
    pipeline: int | None = None
    """Requests that a connection sends before it waits for a reply: 1 without a script."""
    requests_per_second: float | None = None
    """The constant rate that was asked for (wrk2)."""
    closes: bool = False
    """Each request asks the server to close its connection."""


@dataclass(frozen=True)
class Spread:
    """A row of a generator's statistics, by the names of its columns. None where the text has no such column, or `nan`."""

    mean: float | None = None
    stdev: float | None = None
    max: float | None = None
    min: float | None = None
    within_stdev_percent: float | None = None
    """The share of the values within one standard deviation of the mean."""
    percentiles: Mapping[str, float] = field(default_factory=dict)
    """Of columns headed by a percentile, such as `99%`; keyed as `Printed.percentiles_us`."""


@dataclass(frozen=True)
class Printed:
    """The figures in a generator's own text, with as many digits as it prints. None where the text does not have one."""

    requests: int | None = None
    requests_per_second: float | None = None
    bytes: float | None = None
    latency_mean_us: float | None = None
    latency_stdev_us: float | None = None
    latency_max_us: float | None = None
    errors: LoadErrors = field(default_factory=LoadErrors)
    percentiles_us: Mapping[str, float] = field(default_factory=dict)
    """Keyed by percentile as text, such as "99"; empty when the text has none."""
    url: str = ""
    asked_seconds: tuple[float, float] | None = None
    """The duration in the first line, which is rounded to whole minutes: the bounds of what was asked for."""
    duration_seconds: float | None = None
    """How long it ran."""
    threads: int | None = None
    connections: int | None = None
    bytes_per_second: float | None = None
    rows: Mapping[str, Spread] = field(default_factory=dict)
    """The rows of its statistics by their names in lower case: `latency` in microseconds, `req/sec` of each thread."""
    uncorrected_us: Mapping[str, float] = field(default_factory=dict)
    """wrk2's percentiles from when each request was really sent, keyed likewise."""
    spectrum: tuple[tuple[float, float, float], ...] = ()
    """wrk2's detailed spectrum: latency in microseconds, share of the replies (0 to 1), number of replies."""
    uncorrected_spectrum: tuple[tuple[float, float, float], ...] = ()
    open_loop: bool = False
    """Requests were sent at a constant rate, as wrk2 does: Little's law says nothing of them."""
    interrupted: bool = False
    """The text has a `^C`."""
    command: CommandLine = field(default_factory=CommandLine)


@dataclass(frozen=True)
class Unread:
    """A line within a text that cannot be read, or not to its end."""

    line: int
    """Its number in the file."""
    text: str
    """What of it was not read."""


@dataclass(frozen=True)
class Pasted:
    """A generator's text that was found in a file, among other things perhaps."""

    first_line: int
    last_line: int
    printed: Printed
    unread: tuple[Unread, ...]
    refused: str
    """Why it cannot be judged; empty where it can."""
    load: Load | None = None
    """The exact figures, where our own script wrote them below the text."""


@dataclass(frozen=True)
class Captures:
    """Capability: take a part of a reply, by a pattern, and put it into later requests."""

    check: Callable[[str], None]
    """Raises PatternError for a pattern that cannot be valid."""
    find: Callable[[str, str], str | None]
    """Returns the part of a body that a pattern captures; None when nothing matches. Arguments: pattern, body.

    Raises PatternError for a pattern that is not valid.
    """


@dataclass(frozen=True)
class Capabilities:
    """What not every load generator can do."""

    mixes: bool = False
    """It sends several routes by their weights."""
    steps: bool = False
    """It sends several routes in their order."""
    heads: bool = False
    """It knows that a reply to HEAD has no body, whatever length it tells."""
    captures: Captures | None = None
    check_script: Callable[[Script], str] | None = None
    """It runs a user's script. Returns what is wrong with one, as `file:line: reason`; empty when it can be loaded."""


@dataclass(frozen=True)
class LoadGenerator:
    """A load generator: what it needs on the load host, how it is run, and how its output is read."""

    name: str
    """Its name in suites, published figures and messages."""
    programs: tuple[str, ...]
    """The programs that the load host must have."""
    version_command: tuple[str, ...]
    """Prints its version."""
    role: str
    """The Ansible role that installs it; its tag in `site.yml` has the same name."""
    script_suffix: str
    """Ending of the name of its script in a run's folder, such as `.txt`."""
    default_timeout_seconds: float
    """How long it waits for a reply unless a shape says otherwise."""
    corrects_latency: bool
    """The latencies in its text include such of requests that it never sent."""
    spare_files: int
    """File descriptors that it needs beside its connections."""
    capabilities: Capabilities
    check_shape: Callable[[Shape], str]
    """Returns why it cannot make a load of this shape; empty when it can."""
    command: Callable[[Shape, str], tuple[str, ...]]
    """Returns its command line for a shape and a URL; `{script}` in it stands for the file with its script."""
    script: Callable[[Traffic, Mapping[str, tuple[str, ...]]], str]
    """Returns the script with which it sends the requests and checks every reply.

    The mapping has, by the name of a route, the exact bodies of which every good reply must be one.
    """
    read_load: Callable[[str], Load]
    """Returns the figures of a run of ours from its stdout. Raises OutputError."""
    read_printed: Callable[[str], Printed]
    """Returns the figures of its own text, such as a published document prints. Raises OutputError."""
    find_printed: Callable[[str], tuple[Pasted, ...]]
    """Returns its texts in a file of any kind: in Markdown, HTML or a terminal's record, one or several."""

"""The validity of a load generator's run. A generator may fail silently, so its output, exit and time are all checked."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.agent.bench.protocol import LoadOutput, ServerLoad
from benchrig.bench.generators.base import LoadGenerator, OutputError, Shape
from benchrig.results.model import Load
from benchrig.units import size


@dataclass(frozen=True)
class Trial:
    """A load generator's run: its planned shape, its output, and the state of server and load host."""

    generator: LoadGenerator
    shape: Shape
    output: LoadOutput
    server: ServerLoad | None
    """None when the server was not sampled."""
    local_ports: int
    """Number of ports that the load host has for its connections."""
    on_server: bool
    """The load host is the server."""


@dataclass(frozen=True)
class Validity:
    """Whether the values of a run are those of the planned load."""

    load: Load | None
    """What the generator measured, if it did its run."""
    reason: str
    """Why the values are not valid; empty when they are."""


def killed_for_memory(seen: ServerLoad) -> str:
    """Return in words that the kernel ended processes of the app for lack of memory; empty when it did not."""
    if not seen.oom_kills:
        return ""
    killed = f"{seen.oom_kills} on this machine" if seen.oom_on_machine else f"{seen.oom_kills}"
    return (
        f"the kernel killed {killed} for lack of memory (OOM): the app may use {size(seen.memory_limit_bytes)}; "
        f"the most seen before was {size(seen.memory_peak_bytes)}"
    )


def latest_end(shape: Shape) -> float:
    """Return the longest acceptable duration of a run in seconds."""
    return shape.duration_seconds * 1.25 + 2.0


def validity(trial: Trial) -> Validity:
    """Return what a run measured and whether it is valid."""
    if reason := _not_run(trial):
        return Validity(None, reason)
    try:
        load = trial.generator.read_load(trial.output.stdout)
    except OutputError as error:
        return Validity(None, str(error))
    return Validity(load, _invalid(trial, load))


def _not_run(trial: Trial) -> str:
    """Return why the generator did not do its run, whatever it printed; empty when it did."""
    name, output = trial.generator.name, trial.output
    said = _first_line(output.stderr) or _first_line(output.stdout)
    if output.killed:
        asked = f"{trial.shape.duration_seconds:g} s"
        return f"{name} did not end: killed {output.wall_seconds:.0f} s after the start of a run of {asked}"
    if output.exit_code:
        return f"{name} ended with exit code {output.exit_code}: {said}"
    if output.stderr.strip():
        return f"{name} printed an error and continued: {said}"
    return ""


def _invalid(trial: Trial, load: Load) -> str:
    """Return why the values are not those of the planned load; empty when they are."""
    asked = f"{trial.shape.duration_seconds:g} s"
    if trial.server and trial.server.ended:
        return _ended(trial.server)
    if load.errors.connect:
        return _connect(trial, load.errors.connect)
    if trial.output.wall_seconds > latest_end(trial.shape):
        return f"{trial.generator.name} took {trial.output.wall_seconds:.1f} s for a run of {asked}: {_slow(trial)}"
    if not load.requests:
        errors = load.errors
        return f"0 requests were answered in {asked} (read {errors.read}, write {errors.write}, timeout {errors.timeout})"
    if load.replies_wrong:
        example = _first_line(load.wrong_example) or "nothing"
        return f"{load.replies_wrong} of {load.replies_checked} replies were wrong; the first began: {example}"
    return ""


def _ended(seen: ServerLoad) -> str:
    """Return that processes of the app ended, of whose work the values lack a part."""
    many = "a worker" if seen.ended == 1 else f"{seen.ended} processes"
    replaced = ", and was replaced" if seen.replaced == seen.ended == 1 else f", and {seen.replaced} were started anew"
    memory = killed_for_memory(seen)
    return (
        f"{many} of the app ended during the measurement{replaced if seen.replaced else ''}: "
        f"{memory or 'the journal of the app may say why; one that ends after a number of requests needs a larger number'}"
    )


def _slow(trial: Trial) -> str:
    connections = trial.shape.connections
    # connect() finds a port at once in one half of the range only; past that it searches for each connection.
    if connections > trial.local_ports // 2:
        return (
            f"connecting was slow, because {connections} connections need more than half of the {trial.local_ports} local "
            "ports; the role 'tuning' widens net.ipv4.ip_local_port_range"
        )
    return f"it was too slow to open {connections} connections; a longer run (--duration) gives it more time"


def _connect(trial: Trial, failed: int) -> str:
    needed = trial.shape.connections + trial.generator.spare_files
    if needed > trial.output.open_files:
        return (
            f"the load generator ran out of file descriptors: {trial.shape.connections} connections need {needed}, "
            f"the limit is {trial.output.open_files} (connect {failed}); raise RLIMIT_NOFILE"
        )
    sampled = trial.server if trial.on_server else None
    sockets = f"; {sampled.time_wait_peak} sockets in TIME_WAIT hold local ports" if sampled else ""
    return f"the load generator could not open all its connections (connect {failed}{sockets})"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]

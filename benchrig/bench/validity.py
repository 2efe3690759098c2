"""The validity of a load generator's run. A generator may fail silently, so its output, exit and time are all checked."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.agent.bench.protocol import LoadOutput, ServerLoad
from benchrig.bench.generators.base import LoadGenerator, OutputError, Shape
from benchrig.results.model import Load


@dataclass(frozen=True)
class Trial:
    """A load generator's run: the requested shape, its output, and the state of server and load host."""

    generator: LoadGenerator
    shape: Shape
    output: LoadOutput
    server: ServerLoad | None
    """None when the server was not watched."""
    local_ports: int
    """How many ports the load host has for its connections."""
    on_server: bool
    """The load host is the server."""


def latest_end(shape: Shape) -> float:
    """Return the longest valid time of a run of this shape, in seconds."""
    return shape.duration_seconds * 1.25 + 2.0


def judge(trial: Trial) -> tuple[Load | None, str]:
    """Return the figures of a run, if it has any, and why they are not valid; empty when they are."""
    if reason := _not_run(trial):
        return None, reason
    try:
        load = trial.generator.read_load(trial.output.stdout)
    except OutputError as error:
        return None, str(error)
    return load, _invalid(trial, load)


def _not_run(trial: Trial) -> str:
    """Return why the generator did not complete its run; empty when it did."""
    name, output = trial.generator.name, trial.output
    said = _first_line(output.stderr) or _first_line(output.stdout)
    if output.killed:
        asked = f"{trial.shape.duration_seconds:g} s"
        return f"{name} did not end: killed {output.wall_seconds:.0f} s after the start of a run of {asked}"
    if output.exit_code:
        return f"{name} ended with exit code {output.exit_code}: {said}"
    if output.stderr.strip():
        return f"{name} complained and went on: {said}"
    return ""


def _invalid(trial: Trial, load: Load) -> str:
    """Return why the figures are not those of the requested load; empty when they are."""
    asked = f"{trial.shape.duration_seconds:g} s"
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


def _slow(trial: Trial) -> str:
    connections = trial.shape.connections
    # connect() finds a port at once in one half of the range only; past that it searches for each connection.
    if connections > trial.local_ports // 2:
        return (
            f"connecting was slow, as {connections} connections are more than half of the {trial.local_ports} local ports; "
            "the role 'tuning' widens net.ipv4.ip_local_port_range"
        )
    return f"it did not keep up with {connections} connections; a longer run, by --duration, leaves it time to open them"


def _connect(trial: Trial, failed: int) -> str:
    needed = trial.shape.connections + trial.generator.spare_files
    if needed > trial.output.open_files:
        return (
            f"the load generator ran out of file descriptors: {trial.shape.connections} connections need {needed}, it may "
            f"have {trial.output.open_files} (connect {failed}); raise RLIMIT_NOFILE"
        )
    watched = trial.server if trial.on_server else None
    sockets = f"; {watched.time_wait_peak} sockets were in TIME_WAIT, which hold local ports" if watched else ""
    return f"the load generator could not open all its connections (connect {failed}{sockets})"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]

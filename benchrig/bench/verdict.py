"""Whether to believe a load generator's run. wrk fails silently: what it leaves unsaid is read from what it did."""

from __future__ import annotations

from benchrig.agent.bench_protocol import LoadOutput, ServerLoad
from benchrig.bench.wrk import SPARE_FILES, Shape
from benchrig.results.model import Load


def latest_end(shape: Shape) -> float:
    """Return after how many seconds a run of this shape is too long to be what was asked for."""
    return shape.duration_seconds * 1.25 + 2.0


def not_run(output: LoadOutput, shape: Shape) -> str:
    """Return why the generator did not do its run at all, whatever figures it printed; empty when it did."""
    said = _first_line(output.stderr) or _first_line(output.stdout)
    if output.killed:
        return (
            f"wrk did not end: killed {output.wall_seconds:.0f} s after the start of a run of {shape.duration_seconds:g} s"
        )
    if output.exit_code:
        return f"wrk ended with exit code {output.exit_code}: {said}"
    if output.stderr.strip():
        return f"wrk complained and went on: {said}"
    return ""


def invalid(output: LoadOutput, load: Load, shape: Shape, server: ServerLoad, ports: int) -> str:
    """Return why the figures of a run are not those of the load asked for; empty when they are.

    `ports` is how many local ports the load host has for its connections.
    """
    if load.errors.connect:
        return _connect(output, load, shape, server)
    if output.wall_seconds > latest_end(shape):
        return f"wrk took {output.wall_seconds:.1f} s for a run of {shape.duration_seconds:g} s: {_slow(shape, ports)}"
    if not load.requests:
        return f"0 requests were answered in {shape.duration_seconds:g} s ({_errors(load)})"
    if load.replies_wrong:
        return (
            f"{load.replies_wrong} of {load.replies_checked} replies were wrong; the first began: "
            f"{load.wrong_example.splitlines()[0] if load.wrong_example else 'nothing'}"
        )
    return ""


def _slow(shape: Shape, ports: int) -> str:
    # connect() finds a port at once in one half of the range only; past that it searches for each connection.
    if shape.connections > ports // 2:
        return (
            f"connecting was slow, as {shape.connections} connections are more than half of the {ports} local ports; the "
            "role 'tuning' widens net.ipv4.ip_local_port_range"
        )
    return f"it did not keep up with {shape.connections} connections"


def _connect(output: LoadOutput, load: Load, shape: Shape, server: ServerLoad) -> str:
    failed = f"connect {load.errors.connect}"
    needed = shape.connections + SPARE_FILES
    if needed > output.open_files:
        return (
            f"the load generator ran out of file descriptors: {shape.connections} connections need {needed}, it may have "
            f"{output.open_files} ({failed}); raise RLIMIT_NOFILE"
        )
    return (
        f"the load generator could not open all its connections ({failed}; {server.time_wait_peak} sockets were in "
        "TIME_WAIT, which hold local ports)"
    )


def _errors(load: Load) -> str:
    errors = load.errors
    return f"read {errors.read}, write {errors.write}, timeout {errors.timeout}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]

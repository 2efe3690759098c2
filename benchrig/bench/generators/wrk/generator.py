"""The load generator wrk: its settings, its limits, and its command line."""

from __future__ import annotations

from benchrig.bench.generators.base import Capabilities, Captures, LoadGenerator, Shape
from benchrig.bench.generators.wrk import pattern, written
from benchrig.bench.generators.wrk.output import read_load
from benchrig.bench.generators.wrk.printed import read_printed
from benchrig.bench.generators.wrk.script import check_script, script


def check_shape(shape: Shape) -> str:
    """Return why wrk would not open the connections that are asked for; empty when it would."""
    threads, connections = shape.threads, shape.connections
    if threads > connections:
        return f"{threads} threads need at least {threads} connections, not {connections}; use --threads {connections}"
    if rest := connections % threads:
        fewer = next(count for count in range(threads, 0, -1) if connections % count == 0)
        return (
            f"{threads} threads cannot share {connections} connections evenly: wrk would open {connections - rest}; "
            f"use --threads {fewer}"
        )
    return ""


def command(shape: Shape, url: str) -> tuple[str, ...]:
    """Return wrk's command line; `{script}` in it stands for the file with `script(...)`."""
    timeout = () if shape.timeout_seconds is None else ("--timeout", f"{shape.timeout_seconds:g}s")
    load = (f"-t{shape.threads}", f"-c{shape.connections}", f"-d{shape.duration_seconds:g}s")
    return ("wrk", *load, *timeout, "--latency", "-s", "{script}", url)


WRK = LoadGenerator(
    name="wrk",
    programs=("wrk",),
    version_command=("wrk", "-v"),
    role="wrk",
    script_suffix=".lua",
    default_timeout_seconds=2.0,
    corrects_latency=True,
    spare_files=32,
    capabilities=Capabilities(
        mixes=True,
        steps=True,
        captures=Captures(check=pattern.check, find=pattern.find),
        check_script=check_script,
    ),
    check_shape=check_shape,
    command=command,
    script=script,
    read_load=read_load,
    read_printed=read_printed,
    find_printed=written.find,
)

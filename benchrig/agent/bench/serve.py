"""The agent's server during a bench: one request a line on stdin, one answer a line on stdout.

When stdin ends, for any reason, the app and the load generator are stopped: a controller that is interrupted, killed or cut
off leaves nothing running here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

from . import database, facts, protocol, unit
from . import network as bench_network
from .lines import Envelope, read_request
from .load import LoadRunner
from .sampler import Sampler, read_cpu_times

LOCK = Path("/run/benchrig-bench.lock")


class BusyError(Exception):
    """Another bench runs on this host."""


class Bench:
    """The state of one bench on this host: the app that was started, the load that runs, the sampler."""

    def __init__(self) -> None:
        self._unit = ""
        self._load = LoadRunner()
        self._sampler: Sampler | None = None
        self._network: bench_network.NetworkServer | None = None
        self._handlers: dict[type[protocol.Operation[Any]], Callable[[Any], object]] = {
            protocol.FindMachineFacts: lambda op: facts.facts(op.version_commands),
            protocol.FindDeployed: lambda op: facts.deployed(op.programs),
            protocol.FreePort: lambda op: unit.free_port(op.port),
            protocol.Start: self._start,
            protocol.AwaitAnswer: lambda op: unit.await_answer(op.unit, op.port, op.path, op.seconds),
            protocol.Fetch: unit.fetch,
            protocol.RunLoad: lambda op: self._load.run(op.command, op.script, op.kill_after_seconds),
            protocol.FindCpuTimes: lambda _: read_cpu_times(),
            protocol.StartSampling: self._start_sampling,
            protocol.StopSampling: self._stop_sampling,
            protocol.FindWhatRuns: unit.what_runs,
            protocol.ReadJournal: lambda op: unit.journal(op.unit, op.lines),
            protocol.Stop: self._stop,
            protocol.FindDatabase: lambda op: database.find(op.data),
            protocol.ResetData: lambda op: database.reset(op.data),
            protocol.FindDatabaseLoad: lambda op: database.counters(op.data, op.table, op.ended),
            protocol.OpenNetwork: self._open_network,
            protocol.MeasureNetwork: bench_network.measure,
            protocol.CloseNetwork: self._close_network,
        }

    def answer(self, line: bytes) -> Envelope:
        """Do the operation in a line and return the answer; an error is an answer too."""
        try:
            operation = read_request(line)
            value = self._handlers[type(operation)](operation)
        except (OSError, ValueError, unit.UnitError, database.DatabaseError) as error:
            return Envelope(error=str(error) or type(error).__name__)
        return Envelope(value=dataclasses.asdict(value))  # type: ignore[call-overload]

    def abandon(self) -> None:
        """Stop everything that was started here."""
        self._load.abandon()
        if self._unit:
            unit.kill(self._unit)

    def _start(self, op: protocol.Start) -> protocol.Done:
        self._unit = op.unit
        return unit.start(op.unit)

    def _stop(self, op: protocol.Stop) -> protocol.Port:
        if self._sampler is not None:
            self._stop_sampling(protocol.StopSampling())
        port = unit.stop(op.unit, op.port)
        self._unit = ""
        return port

    def _start_sampling(self, op: protocol.StartSampling) -> protocol.Done:
        self._sampler = Sampler(unit.show(op.unit, "ControlGroup").get("ControlGroup", ""))
        self._sampler.start()
        return protocol.Done()

    def _stop_sampling(self, _: protocol.StopSampling) -> protocol.ServerLoad:
        if self._sampler is None:
            raise ValueError("nothing is sampled")
        sampler, self._sampler = self._sampler, None
        return sampler.stop()

    def _open_network(self, op: protocol.OpenNetwork) -> protocol.NetworkPort:
        self._close_network(protocol.CloseNetwork())
        self._network = bench_network.NetworkServer(op.port)
        return self._network.at

    def _close_network(self, _: protocol.CloseNetwork) -> protocol.Done:
        network, self._network = self._network, None
        if network is not None:
            network.close()
        return protocol.Done()


def _send(out: RawIOBase, answer: Envelope) -> None:
    """Write an answer as a line. One write may take only a part of a long one."""
    rest = memoryview(answer.line())
    while rest:
        rest = rest[out.write(rest) :]


def _work(bench: Bench, lines: queue.SimpleQueue[bytes], out: RawIOBase) -> None:
    """Answer line after line. When this ends, the program ends too, which would otherwise wait for input."""
    try:
        with contextlib.suppress(OSError):
            while True:
                _send(out, bench.answer(lines.get()))
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _take_lock() -> BinaryIO:
    """Lock the host for this bench; the lock lasts as long as the file is open."""
    lock = LOCK.open("a+b")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        pid = lock.read(20).decode() or "unknown"
        raise BusyError(f"another bench runs there (process {pid} of that machine)") from None
    lock.truncate(0)
    lock.write(str(os.getpid()).encode())
    lock.flush()
    return lock


def _on_ending_signals(action: Callable[[int, object], None] | signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, action)


def _ended(_signal: int, _frame: object) -> None:
    # A second signal must not end the clearing up that the first one began.
    _on_ending_signals(signal.SIG_IGN)
    raise SystemExit(1)


def main() -> int:
    """Serve one controller until it closes the connection."""
    _on_ending_signals(_ended)
    out = os.fdopen(sys.stdout.fileno(), "wb", buffering=0, closefd=False)
    try:
        lock = _take_lock()
    except BusyError as error:
        _send(out, Envelope(error=str(error)))
        return 1
    bench = Bench()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_work, args=(bench, lines, out), daemon=True).start()
    try:
        try:
            # This thread only reads, so that it sees the end of the input while a load runs.
            for line in sys.stdin.buffer:
                lines.put(line)
        finally:
            _on_ending_signals(signal.SIG_IGN)
    finally:
        bench.abandon()
        lock.close()
    return 0

"""The operations of a bench on a host: each does one thing that the controller asks for, and returns the answer."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import cpus, database, environment, facts, pinning, protocol, unit
from . import network as bench_network
from .connections import ConnectionWatch
from .fetch import fetch
from .lines import Envelope
from .load import LoadRunner
from .sampler import Sampler, read_cpu_times, read_sent

APP_FILE = "app"


class Bench:
    """The state of one bench on this host: the app that was started, the load that runs, the sampler.

    `folder` is where it keeps what goes with it. Its file `app` names the app, for whoever cleans up after a killed agent.
    """

    def __init__(self, folder: Path) -> None:
        self._unit = ""
        self._app = folder / APP_FILE
        self._load = LoadRunner(folder)
        self._sampler: Sampler | None = None
        self._watch: ConnectionWatch | None = None
        self._network: bench_network.NetworkServer | None = None
        self._handlers: dict[type[protocol.Operation[Any]], Callable[[Any], object]] = {
            protocol.FindMachineFacts: lambda op: environment.machine_facts(op.version_commands),
            protocol.FindDeployed: lambda op: facts.deployed(op.programs),
            protocol.FreePort: lambda op: unit.free_port(op.port),
            protocol.Start: self._start,
            protocol.AwaitAnswer: lambda op: unit.await_answer(op.unit, op.port, op.path, op.seconds),
            protocol.Fetch: fetch,
            protocol.RunLoad: lambda op: self._load.run(op.command, op.script, op.kill_after_seconds, op.cpus),
            protocol.FindCpuParts: lambda op: cpus.share(op.parts),
            protocol.PinDatabase: _pin_database,
            protocol.FindCpuTimes: lambda _: read_cpu_times(),
            protocol.CountSent: lambda _: read_sent(),
            protocol.StartSampling: self._start_sampling,
            protocol.StopSampling: self._stop_sampling,
            protocol.WatchConnections: self._watch_connections,
            protocol.StopWatching: self._stop_watching,
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

    def answer(self, operation: protocol.Operation[Any]) -> Envelope:
        """Do an operation and return its answer; an error is an answer too."""
        try:
            value = self._handlers[type(operation)](operation)
        except (OSError, ValueError, unit.UnitError, database.DatabaseError) as error:
            return Envelope(error=str(error) or type(error).__name__)
        except Exception as error:
            # A mistake of ours fails the cell, and does not take the agent along.
            traceback.print_exc()
            return Envelope(error=f"{type(operation).__name__} failed in the agent: {type(error).__name__}: {error}")
        return Envelope(value=dataclasses.asdict(value))  # type: ignore[call-overload]

    @property
    def is_sampling(self) -> bool:
        """The sampler runs."""
        return self._sampler is not None

    @property
    def news(self) -> protocol.News | None:
        """What the sampler has counted so far; None when it does not run, or has just started."""
        sampler = self._sampler
        return sampler.news if sampler else None

    def abandon(self) -> None:
        """Stop everything that was started here."""
        self._load.abandon()
        if self._unit:
            unit.kill(self._unit)

    def _start(self, op: protocol.Start) -> protocol.Done:
        self._unit = op.unit
        # Before it starts: the agent may be killed at any moment.
        self._app.write_text(f"{op.unit}\n", encoding="utf-8")
        pinning.pin_apps(op.cpus)
        return unit.start(op.unit, op.cpus)

    def _stop(self, op: protocol.Stop) -> protocol.Stopped:
        if self._sampler is not None:
            self._stop_sampling(protocol.StopSampling())
        stopped = unit.stop(op.unit, op.port)
        self._unit = ""
        self._app.unlink(missing_ok=True)
        return stopped

    def _start_sampling(self, op: protocol.StartSampling) -> protocol.Sent:
        self._sampler = sampler = Sampler(unit.show(op.unit, "ControlGroup").get("ControlGroup", ""))
        sampler.start()
        return sampler.sent

    def _stop_sampling(self, _: protocol.StopSampling) -> protocol.ServerLoad:
        if self._sampler is None:
            raise ValueError("nothing is sampled")
        sampler, self._sampler = self._sampler, None
        return sampler.stop()

    def _watch_connections(self, op: protocol.WatchConnections) -> protocol.Done:
        self._stop_watching(protocol.StopWatching())
        self._watch = ConnectionWatch(op)
        return protocol.Done()

    def _stop_watching(self, _: protocol.StopWatching) -> protocol.ConnectionsSeen:
        watch, self._watch = self._watch, None
        return watch.stop() if watch else protocol.ConnectionsSeen()

    def _open_network(self, op: protocol.OpenNetwork) -> protocol.NetworkPort:
        self._close_network(protocol.CloseNetwork())
        self._network = bench_network.NetworkServer(op.port)
        return self._network.at

    def _close_network(self, _: protocol.CloseNetwork) -> protocol.Done:
        network, self._network = self._network, None
        if network is not None:
            network.close()
        return protocol.Done()


def _pin_database(op: protocol.PinDatabase) -> protocol.Done:
    pinning.pin_database(database.pids(), op.cpus)
    return protocol.Done()

"""The network between load host and server: measured by the agents for real, and what the controller makes of it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig import inventory
from benchrig.agent.bench import network as bench_network
from benchrig.agent.bench import ports, protocol
from benchrig.agent.bench.lines import Envelope
from benchrig.agent.bench.operations import Bench
from benchrig.bench import network, run
from benchrig.bench.host import Hosts, Pair
from benchrig.errors import HostError
from benchrig.results.model import DatabaseNetwork, Network
from tests.support.cell import RecordingHost

# The network, measured by the agents on this machine's loopback.


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a stream of 8 MiB."""
    monkeypatch.setattr(bench_network, "STREAM_BYTES", 8 << 20)


@contextlib.contextmanager
def serving(port: int = 0) -> Iterator[protocol.NetworkPort]:
    server = bench_network.NetworkServer(port)
    try:
        yield server.at
    finally:
        server.close()


@pytest.mark.usefixtures("short")
def test_round_trips_and_bandwidth_are_measured_and_the_port_is_the_apps_again() -> None:
    with serving() as at:
        found = bench_network.measure(protocol.MeasureNetwork("127.0.0.1", at.port, at.word))
    assert found.error == ""
    assert 0 < found.rtt_us_median <= found.rtt_us_p99
    assert found.bandwidth_bits_per_second > 1e6
    with socket.socket() as app:
        # Without SO_REUSEADDR this fails where a connection is left in TIME_WAIT.
        app.bind(("0.0.0.0", at.port))


def test_who_does_not_know_the_word_gets_nothing_and_the_next_one_is_served() -> None:
    with serving() as at:
        with socket.create_connection(("127.0.0.1", at.port), 5) as stranger:
            stranger.sendall(b"x" * len(at.word) + b"s")
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b""
        with socket.create_connection(("127.0.0.1", at.port), 5) as friend:
            friend.sendall(at.word.encode() + b"e" + b"hello")
            assert friend.recv(5) == b"hello"


def test_where_the_apps_port_is_taken_another_is_free() -> None:
    with socket.create_server(("", 0)) as taken, serving(taken.getsockname()[1]) as at:
        assert at.port != taken.getsockname()[1]


@pytest.mark.parametrize(("host", "said"), [("127.0.0.1", "refused"), ("nowhere.invalid", "")])
def test_a_server_that_cannot_be_reached_is_an_answer(host: str, said: str) -> None:
    with serving() as at:
        pass
    error = bench_network.measure(protocol.MeasureNetwork(host, at.port, at.word)).error
    assert error
    assert said in error


def test_every_operation_is_done_by_the_agent_which_gives_the_port_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert set(protocol.OPERATIONS.values()) == set(bench._handlers)
    port = bench.answer(protocol.OpenNetwork(0)).value["port"]
    assert isinstance(port, int)
    assert not ports.is_free(port)
    assert bench.answer(protocol.CloseNetwork()) == Envelope()
    assert ports.is_free(port)


# The controller's part of it.


class Named(RecordingHost):
    """A recording host that says who it is."""

    def __init__(self, name: str, asked: list[str], **instead: Any) -> None:
        super().__init__(
            name, asked, **{"OpenNetwork": protocol.NetworkPort(8080, "word"), "CloseNetwork": protocol.Done(), **instead}
        )
        self.name = name


def a_pair(found: protocol.NetworkMeasurement, port: int = 8080) -> tuple[Any, list[str]]:
    asked: list[str] = []
    server = Named("web1", asked, OpenNetwork=protocol.NetworkPort(port, "word"))
    return Pair(server, Named("load1", asked, MeasureNetwork=found)), asked  # type: ignore[arg-type]


def test_between_a_load_host_and_a_server_the_network_is_measured_on_the_apps_port() -> None:
    pair, asked = a_pair(protocol.NetworkMeasurement(85.0, 140.2, 9.41e9))
    assert network.measure(pair, "10.0.0.1", 8080) == Network("load1", "web1", 85.0, 140.2, 9.41e9)
    assert asked == ["web1 OpenNetwork", "load1 MeasureNetwork", "web1 CloseNetwork"]
    assert pair.generator.operations == [protocol.MeasureNetwork("10.0.0.1", 8080, "word")]


def test_on_one_machine_there_is_no_network() -> None:
    pair, asked = a_pair(protocol.NetworkMeasurement())
    assert network.measure(replace(pair, generator=pair.server), "10.0.0.1", 8080) is None
    assert asked == []


def test_a_server_that_its_load_host_cannot_reach_ends_the_bench_with_what_says_where_it_is() -> None:
    pair, asked = a_pair(protocol.NetworkMeasurement(error="No route to host"))
    with pytest.raises(HostError) as caught:
        network.measure(pair, "10.0.0.1", 8080)
    assert str(caught.value) == "load1 cannot reach web1 at 10.0.0.1, port 8080: No route to host"
    assert "benchrig_address of web1" in str(caught.value.hint)
    assert asked[-1] == "web1 CloseNetwork"


def test_that_another_port_is_closed_says_nothing_of_the_apps(capsys: pytest.CaptureFixture[str]) -> None:
    pair, _ = a_pair(protocol.NetworkMeasurement(error="timed out"), port=41_000)
    assert network.measure(pair, "10.0.0.1", 8080) is None
    assert "the network was not measured: load1 cannot reach web1 at 10.0.0.1, port 41000" in capsys.readouterr().err


def a_server_and_a_database(found: protocol.NetworkMeasurement, port: int = 41_000) -> tuple[Named, Named, list[str]]:
    asked: list[str] = []
    database = Named("db1", asked, OpenNetwork=protocol.NetworkPort(port, "word"))
    return Named("web1", asked, MeasureNetwork=found), database, asked


def test_between_a_server_and_its_database_it_is_measured_on_another_port_than_postgresql_holds() -> None:
    server, database, asked = a_server_and_a_database(protocol.NetworkMeasurement(85.0, 140.2, 9.41e9))
    found = network.measure_database(server, database, "10.0.0.3", 5432)  # type: ignore[arg-type]
    assert found == DatabaseNetwork("web1", "db1", 85.0, 140.2, 9.41e9)
    assert asked == ["db1 OpenNetwork", "web1 MeasureNetwork", "db1 CloseNetwork"]
    assert database.operations[0] == protocol.OpenNetwork(5432)
    assert server.operations == [protocol.MeasureNetwork("10.0.0.3", 41_000, "word")]


def test_that_another_port_of_the_database_is_closed_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    server, database, _ = a_server_and_a_database(protocol.NetworkMeasurement(error="timed out"))
    assert network.measure_database(server, database, "10.0.0.3", 5432) is None  # type: ignore[arg-type]
    assert "the network was not measured: web1 cannot reach db1 at 10.0.0.3, port 41000" in capsys.readouterr().err


def test_a_database_whose_own_port_a_server_cannot_reach_ends_the_bench() -> None:
    server, database, _ = a_server_and_a_database(protocol.NetworkMeasurement(error="No route to host"), port=5432)
    with pytest.raises(HostError, match=r"^web1 cannot reach db1 at 10\.0\.0\.3, port 5432: No route to host$"):
        network.measure_database(server, database, "10.0.0.3", 5432)  # type: ignore[arg-type]


WITH_DATABASE = """\
all:
  children:
    servers: {hosts: {web1: {ansible_host: 10.0.0.1}, web2: {ansible_host: 10.0.0.2}}}
    databases: {hosts: {web2: }}
    loadgens: {hosts: {load1: {ansible_host: 10.0.0.4}}}
"""


def test_every_server_but_the_databases_own_machine_is_measured_to_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(WITH_DATABASE)
    hosts = inventory.read(str(tmp_path / "mine.yml"), tmp_path)
    asked: list[str] = []
    first, second, generator = (
        Named(name, asked, MeasureNetwork=protocol.NetworkMeasurement(85.0, 140.0, 1e9))
        for name in ("web1", "web2", "load1")
    )
    pairs: Any = (Pair(first, generator), Pair(second, generator))  # type: ignore[arg-type]
    found = run._database_networks(hosts, Hosts(pairs, second))  # type: ignore[arg-type]
    assert found == (DatabaseNetwork("web1", "web2", 85.0, 140.0, 1e9),)
    assert first.operations == [protocol.MeasureNetwork("10.0.0.2", 8080, "word")]
    assert run._database_networks(hosts, Hosts(pairs, None)) == ()

"""Connections that were not there: each fault is caused by a small server under the real load generator on loopback, and
found by the agent's own operations; clean servers are silent.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from benchrig.agent.bench import connections, protocol
from benchrig.agent.bench.connections import ConnectionWatch, NotToldError, descriptors
from benchrig.report.sentences import sentence
from benchrig.results.audit import connections_there
from benchrig.results.codes import Code
from benchrig.results.warnings import Number, Warning
from tests.support import ROOT
from tests.support.local import found, measured, serving, under_load
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="the agent runs as root"),
    pytest.mark.skipif(not shutil.which("wrk"), reason="needs wrk"),
]


def count(warning: Warning, name: str) -> float:
    value = warning.values[name]
    assert isinstance(value, Number)
    return value.high


def test_connections_that_are_accepted_and_never_answered_make_a_row_invalid() -> None:
    (warning,) = found(under_load("dead 10", 100)).values()
    assert sentence(warning) == "10 of 100 connections never got a reply. The values are those of the others."
    assert warning.invalid


def test_connections_that_are_answered_once_and_never_again_make_a_row_invalid() -> None:
    cell = under_load("once 20", 50)
    (warning,) = found(cell).values()
    assert "20 of 50 connections got no reply for the last" in sentence(warning)
    assert (warning.values["case"], warning.invalid, connections_there(cell)) == ("quiet", True, 30)


def test_connections_that_are_much_slower_than_the_others_are_told() -> None:
    (warning,) = found(under_load("slow 10", 50, 3.0)).values()
    assert (warning.code, count(warning, "few"), warning.invalid) == (Code.UNEQUAL_CONNECTIONS, 10, False)
    assert count(warning, "least") * 5 < count(warning, "median")


@pytest.mark.parametrize(("each", "connections"), [(10, 50), (20, 500)])
def test_a_server_that_closes_connections_after_some_requests_is_told_how_often_and_has_no_dead_ones(
    each: int, connections: int
) -> None:
    cell = under_load(f"few {each}", connections)
    (warning,) = found(cell).values()
    assert (warning.code, warning.values["case"], warning.invalid) == (Code.NO_KEEP_ALIVE, "some", False)
    assert 0.7 / each < count(warning, "share") / 100 < 1.1 / each
    assert connections_there(cell) is None


def test_connections_that_are_never_accepted_make_a_row_invalid_and_the_app_deaf_after_it() -> None:
    warnings = found(under_load("deaf 92", 200))
    assert list(warnings) == [Code.DEAD_CONNECTIONS, Code.WRONG_AFTER]
    dead = warnings[Code.DEAD_CONNECTIONS]
    assert (dead.values["case"], dead.invalid) == ("unaccepted", True)
    # Of the 92, verification and warm-up took some.
    assert 108 <= count(dead, "dead") <= 120
    assert "timed out" in sentence(warnings[Code.WRONG_AFTER])


def test_an_app_that_lowers_its_own_limit_of_descriptors_is_found_though_its_unit_allows_more() -> None:
    with serving("connections", "files", "100") as port:
        cell = measured(port, 200)
    warnings = found(cell)
    assert Code.DEAD_CONNECTIONS in warnings
    assert cell.connections_seen
    assert cell.connections_seen.server
    assert 100 < (cell.connections_seen.server.unaccepted or 0) < 115


def test_the_descriptors_of_a_process_at_its_limit_are_counted() -> None:
    argv = [sys.executable, str(ROOT / "tests/support/servers/connections.py"), "files", "50"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(80)]
        until(lambda: (seen := descriptors([process.pid])) is not None and seen.most >= 48)
        seen = descriptors([process.pid, os.getpid()])
        process.kill()
    for one in held:
        one.close()
    assert seen
    assert (seen.limit, seen.most >= 48) == (50, True)
    assert seen.total > seen.most + 80


def test_descriptors_of_processes_that_are_gone_are_not_known() -> None:
    assert descriptors([]) is None
    assert descriptors([1 << 30]) is None


def test_a_server_that_stops_answering_before_the_end_is_found() -> None:
    warnings = found(under_load("dies 0.7", 50))
    assert list(warnings) == [Code.SILENT, Code.WRONG_AFTER]
    assert all(one.invalid for one in warnings.values())
    assert count(warnings[Code.SILENT], "silent") > 0.5


def test_a_server_that_dies_in_the_last_moment_is_found_by_one_more_request() -> None:
    warnings = found(under_load("dies 1.75", 50))
    assert list(warnings) == [Code.WRONG_AFTER]


def test_connections_that_are_lost_under_the_load_are_missed() -> None:
    warnings = found(under_load("lost 10", 100))
    missing = warnings[Code.MISSING_CONNECTIONS]
    assert sentence(missing) == "Only 90 of 100 connections were there at the end of the load."
    assert missing.invalid


def test_a_server_without_keep_alive_is_said_to_be_one_and_nothing_else() -> None:
    warnings = found(under_load("closes", 50))
    assert list(warnings) == [Code.NO_KEEP_ALIVE]
    assert not warnings[Code.NO_KEEP_ALIVE].invalid
    assert 0.9 < count(warnings[Code.NO_KEEP_ALIVE], "each") < 1.2


def test_a_server_that_resets_each_connection_is_said_not_to_keep_them() -> None:
    """No closed connection is held, neither here nor there."""
    warnings = found(under_load("resets", 20))
    assert list(warnings) == [Code.NO_KEEP_ALIVE]


def test_the_connections_that_an_app_opens_itself_are_not_the_loads() -> None:
    cell = under_load("proxies", 20)
    assert cell.connections_seen
    assert cell.connections_seen.client
    assert cell.connections_seen.client.opened > 200
    assert found(cell) == {}


@pytest.mark.parametrize(("fault", "connections"), [("none", 10), ("none", 2000), ("waits 0.1", 100), ("waits 0.1", 2000)])
def test_a_clean_server_has_no_remark_of_its_connections(fault: str, connections: int) -> None:
    cell = under_load(fault, connections)
    seen = cell.connections_seen
    assert seen
    assert seen.client
    assert seen.server
    assert (seen.client.established, seen.client.unanswered, seen.served) == (connections, 0, connections)
    assert (seen.server.established, seen.server.unaccepted) == (connections, 0)
    assert found(cell) == {}
    assert seen.cpu_seconds > 0


def test_a_load_over_ipv6_is_counted() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("::1", port)), listener.accept()[0], socket.create_connection(("::1", port)):
            seen = counted(port)
    assert seen.client
    assert seen.server
    assert (seen.client.established, seen.client.unanswered, seen.server.unaccepted) == (2, 2, 1)


def test_ipv4_connections_to_a_server_that_listens_to_both_are_counted() -> None:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0] as accepted:
            accepted.send(b"x")
            seen = counted(port)
    assert seen.client
    assert seen.server
    assert (seen.client.established, seen.client.unanswered, seen.server.established) == (1, 0, 1)
    assert (seen.server.unaccepted, seen.client.received_bytes) == (0, 1)


def test_how_long_connections_have_been_silent_and_what_they_received_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        held = [(socket.create_connection(("127.0.0.1", port)), listener.accept()[0]) for _ in range(3)]
        held[1][1].send(b"x")
        time.sleep(0.6)
        for _ in range(20):
            held[2][1].send(b"xy")
            assert held[2][0].recv(2)
        client = counted(port).client
        for one, other in held:
            one.close()
            other.close()
    assert client
    assert client.silences
    assert [(one.seconds, one.connections, one.unanswered) for one in client.silences[:3]] == [
        (0.25, 2, 1),
        (0.375, 2, 1),
        (0.5, 2, 1),
    ]
    assert client.segments == protocol.Segments(least=0, p10=0, median=1, most=20, few=1)
    assert (client.changing, client.received_bytes) == (0, 41)


def test_a_connection_that_the_server_has_closed_is_not_missing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with (
            socket.create_connection(("127.0.0.1", port)),
            socket.create_connection(("127.0.0.1", port)),
            listener.accept()[0],
        ):
            listener.accept()[0].close()
            client = counted(port).client
    assert client
    assert (client.established, client.changing) == (1, 1)


def counted(port: int) -> protocol.ConnectionsSeen:
    watch = ConnectionWatch(protocol.WatchConnections(port, 0.0, client=True, server=True))
    until(lambda: watch.done)
    return watch.stop()


def test_where_the_kernel_tells_nothing_it_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(connections, "_dump", refuse)
    seen = counted(9)
    assert seen.client
    assert seen.server
    assert (seen.client.established, seen.client.unanswered, seen.client.received_bytes) == (None, None, None)
    assert (seen.server.established, seen.server.unaccepted) == (None, None)


def test_a_count_that_comes_too_late_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LATEST_SECONDS", -1.0)
    seen = counted(9)
    assert seen.client
    assert seen.server
    assert (seen.client.established, seen.server.established, seen.client.local_ports > 0) == (None, None, True)


def test_a_watch_that_is_stopped_early_has_counted_nothing() -> None:
    watch = ConnectionWatch(protocol.WatchConnections(9, 60.0, client=True, server=True))
    began = time.monotonic()
    client = watch.stop().client
    assert client
    assert client.established is None
    assert time.monotonic() - began < 5


def test_messages_of_several_lengths_are_read_one_by_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0]:
            with_info = connections.sockets(socket.AF_INET, connections.ESTABLISHED, here=port, info=True)
            without = connections.sockets(socket.AF_INET, connections.ESTABLISHED, here=port)
    both = b"".join(one.tobytes() for one in (*with_info, *without, *with_info))
    assert [len(group) for group in connections._by_length(both)] == [2 * with_info[0].nbytes, without[0].nbytes]
    with pytest.raises(NotToldError):
        connections._info(without, 0)


NAMESPACE = """
ip link set lo up
echo "{value}" > /proc/sys/net/ipv4/{sysctl}
exec {python} -c '
from tests.support.local import found, under_load
cell = under_load("closes", 20, 3.0)
print(cell.reason, *(code.value for code, one in found(cell).items()) if not cell.reason else ())
'
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare")
def test_closed_connections_that_hold_all_local_ports_make_a_row_invalid() -> None:
    said = on_another_network("ip_local_port_range", "20000 20099")
    # Where not one port is left, connections cannot be opened, and the cell has failed.
    assert "ports_held" in said or "could not open all its connections" in said


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare")
def test_a_kernel_that_holds_few_closed_connections_hides_no_server_that_closes_them() -> None:
    assert on_another_network("tcp_max_tw_buckets", "50").split() == ["no_keep_alive"]


def on_another_network(sysctl: str, value: str) -> str:
    """Load a server that closes its connections in a network namespace of its own; return its warnings."""
    script = NAMESPACE.format(sysctl=sysctl, value=value, python=sys.executable)
    argv = ["unshare", "--net", "sh", "-c", script]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    assert not done.returncode, done.stderr
    return done.stdout

"""Waiting for a machine's SSH server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from benchrig.errors import HostError, MachineError
from benchrig.machines import sshd
from benchrig.machines.sshd import wait_for_ssh


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Yield a server on loopback that says `SSH-2.0` to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"SSH-2.0-test\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield listening
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def port(server: socket.socket) -> int:
    """Return the server's port."""
    return int(server.getsockname()[1])


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_a_server_that_answers_is_enough_where_no_login_is_needed(port: int) -> None:
    assert wait_for_ssh("127.0.0.1", port, 5) == ""


def test_a_login_is_tried_until_it_succeeds(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshd, "CHECK_SECONDS", 0.01)
    refusals = iter(["first", "second"])

    def login() -> None:
        if reason := next(refusals, ""):
            raise HostError(reason)

    assert wait_for_ssh("127.0.0.1", port, 5, login=login) == ""
    assert next(refusals, "") == ""


def test_the_last_refusal_is_the_reason(port: int) -> None:
    def login() -> None:
        raise HostError("not today")

    assert wait_for_ssh("127.0.0.1", port, 0.1, login=login) == "not today"


def test_a_refusal_that_waiting_cannot_mend_ends_it_at_once(port: int) -> None:
    def login() -> None:
        raise HostError("another host key", "look into it")

    with pytest.raises(HostError, match="another host key"):
        wait_for_ssh("127.0.0.1", port, 5, login=login)


def test_a_server_that_never_answers_is_the_reason_after_the_time_given() -> None:
    started = time.monotonic()
    assert wait_for_ssh("127.0.0.1", closed_port(), 0.2) == sshd.NO_ANSWER
    assert time.monotonic() - started < 2


def test_a_machine_that_no_longer_runs_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshd, "CHECK_SECONDS", 0.05)

    def check() -> None:
        raise MachineError("it ended")

    with pytest.raises(MachineError, match="it ended"):
        wait_for_ssh("127.0.0.1", closed_port(), 5, check=check)

"""A bench whose connection to an agent is lost: how often and how long it is made anew, and when that is of no use."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import pytest

from benchrig.agent.bench import protocol
from benchrig.agent.bench.lines import ALIVE, Envelope
from benchrig.bench import host as bench_host
from benchrig.bench import link
from benchrig.bench.host import Agents
from benchrig.errors import HostError
from benchrig.remote.channel import ConnectionLostError
from benchrig.remote.refusals import UnreachableError
from tests.support.agent_channels import CPU, LAB1, Answer, Channel, Rig, instead, well
from tests.support.waiting import until


def test_a_lost_connection_is_made_anew_and_the_request_asked_again(
    rig: Callable[..., Rig], capsys: pytest.CaptureFixture[str]
) -> None:
    made = rig(well, UnreachableError("no route"), well)
    with Agents(5.0) as agents:
        agent = agents.start(LAB1)
        agent.ask(protocol.FindCpuTimes())
        made.channels[0].end()
        assert agent.ask(protocol.FindCpuTimes()) == CPU
    first, second = (channel.sent for channel in made.channels)
    assert [one.value.get("resume") for one in (first[0], second[0])] == [False, True]
    assert first[0].value["session"] == second[0].value["session"]
    # The request that was lost has the same id.
    assert [one.id for one in second if one.id] == [2]
    assert capsys.readouterr().err == "lab1: connection lost; reconnecting\nlab1: connected again\n"


@pytest.mark.parametrize("operation", [protocol.FindCpuTimes(), protocol.FreePort(1)])
def test_a_connection_that_is_lost_while_the_agent_starts_is_made_anew(
    rig: Callable[..., Rig], operation: protocol.Operation[object]
) -> None:
    made = rig(lambda _: b"", UnreachableError("no route"), well)
    with Agents(5.0) as agents:
        agent = agents.start(LAB1)
        made.channels[0].lose()
        # The stand-in answers with what is an answer to the first only.
        with contextlib.suppress(HostError):
            agent.ask(operation)
    assert [one.operation for one in made.channels[1].sent] == ["Hello", type(operation).__name__, "Bye"]
    assert made.channels[1].sent[0].value["resume"] is False


def test_a_connection_that_is_lost_before_the_greeting_is_made_anew(rig: Callable[..., Rig]) -> None:
    made = rig(ConnectionLostError("lab1: the connection was lost"), UnreachableError("no route"), well)
    with Agents(5.0) as agents:
        assert agents.start(LAB1).ask(protocol.FindCpuTimes()) == CPU
    assert [one.operation for one in made.channels[0].sent] == ["Hello", "FindCpuTimes", "Bye"]


def test_an_agent_that_ends_before_it_greets_is_not_started_again(rig: Callable[..., Rig]) -> None:
    made = rig(lambda _: b"", well)
    with Agents(5.0) as agents:
        agent = agents.start(LAB1)
        made.channels[0].end()
        with pytest.raises(HostError, match=r"^lab1: the agent does not start: the program there ended$"):
            agent.ask(protocol.FindCpuTimes())


def test_a_connection_that_does_not_come_back_is_an_error_after_the_cells_time(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_host, "RECONNECT_SECONDS", 0.2)
    made = rig(well, *[UnreachableError("lab1: cannot be reached: no route to host")] * 1000)
    with Agents(0.1) as agents:
        agent = agents.start(LAB1)
        agent.ask(protocol.FindCpuTimes())
        made.channels[0].end()
        with pytest.raises(HostError, match=r"^lab1: the connection was lost, and did not come back .*no route to host$"):
            agent.ask(protocol.FindCpuTimes())


def test_a_host_that_refuses_us_is_not_tried_again(rig: Callable[..., Rig]) -> None:
    made = rig(well, HostError("lab1: the host key has changed"), well)
    with Agents(60.0) as agents:
        agent = agents.start(LAB1)
        agent.ask(protocol.FindCpuTimes())
        made.channels[0].end()
        with pytest.raises(HostError, match=r"^lab1: the host key has changed$"):
            agent.ask(protocol.FindCpuTimes())


@pytest.fixture
def breaking(rig: Callable[..., Rig]) -> Rig:
    """Make each connection break as soon as a request is sent over it."""
    made = rig()

    class Breaking(Channel):
        def send(self, data: bytes) -> None:
            super().send(data)
            if self.sent[-1].id:
                self.end()

    def start(_remote: object, _verb: str) -> Channel:
        made.channels.append(Breaking(instead(b"")))
        return made.channels[-1]

    made.start = start  # type: ignore[method-assign]
    return made


def test_a_connection_that_breaks_again_and_again_is_given_up(breaking: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link.ship, "start", breaking.start)
    with Agents(60.0) as agents, pytest.raises(HostError, match=r"^lab1: the connection was lost 21 times: "):
        agents.start(LAB1).ask(protocol.FindCpuTimes())
    assert len(breaking.channels) == 21


def test_losses_are_bounded_in_time_however_few_they_are(breaking: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link.ship, "start", breaking.start)
    monkeypatch.setattr(bench_host, "_MOST_LOSSES", 10**9)
    monkeypatch.setattr(bench_host, "RECONNECT_SECONDS", 0.3)
    monkeypatch.setattr(bench_host, "limit", lambda _: 0.3)
    began = time.monotonic()
    with Agents(0.1) as agents, pytest.raises(HostError, match=r"^lab1: the connection was lost \d+ times: "):
        agents.start(LAB1).ask(protocol.FindCpuTimes())
    assert time.monotonic() - began < 5


def booted(boot: str, error: str = "") -> Answer:
    """Answer as an agent does of a machine in this start."""
    hello = Envelope("Hello", {"boot": boot}, error).line()
    return lambda request: hello if request.operation == "Hello" else well(request)


@pytest.mark.parametrize("operation", [protocol.FindDeployed(()), protocol.Stop("u", 1)])
@pytest.mark.parametrize("error", ["", "the agent ended: it is not there any more"])
def test_a_host_that_was_rebooted_is_not_measured_on(
    rig: Callable[..., Rig], operation: protocol.Operation[object], error: str
) -> None:
    made = rig(booted("one"), booted("two", error))
    with Agents(60.0) as agents:
        agent = agents.start(LAB1)
        agent.ask(protocol.FindCpuTimes())
        made.channels[0].end()
        with pytest.raises(HostError, match=r"^lab1 was rebooted during the bench$") as caught:
            agent.ask(operation)
    assert str(caught.value.hint) == "To go on: ./inv bench --resume. It compares the conditions first."


def test_who_has_to_wait_for_an_agent_is_told_for_whom(rig: Callable[..., Rig], capsys: pytest.CaptureFixture[str]) -> None:
    wait = Envelope("Wait", error="a bench by ann has had this host for 3 min; waiting for it").line()
    rig(lambda request: wait + ALIVE + well(request) if request.operation == "Hello" else well(request))
    with Agents(1.0) as agents:
        assert agents.start(LAB1).ask(protocol.FindCpuTimes()) == CPU
    assert capsys.readouterr().err == "lab1: a bench by ann has had this host for 3 min; waiting for it\n"


def test_the_reader_of_a_dropped_connection_ends_though_nobody_takes_its_lines(rig: Callable[..., Rig]) -> None:
    rig(lambda _: well(Envelope("Hello")) * 100)
    before = set(threading.enumerate())
    made = link.Link(LAB1)
    made.send(Envelope("Hello").line())
    until(lambda: made._lines.full())
    (reader,) = set(threading.enumerate()) - before
    made.drop()
    reader.join(10)
    assert not reader.is_alive()


def test_an_agent_that_is_gone_is_not_waited_for(rig: Callable[..., Rig]) -> None:
    made = rig(well, lambda _: Envelope("Hello", error="the agent ended: killed").line())
    with Agents(60.0) as agents:
        agent = agents.start(LAB1)
        agent.ask(protocol.FindCpuTimes())
        made.channels[0].end()
        with pytest.raises(HostError, match=r"^lab1: the agent ended: killed$"):
            agent.ask(protocol.FindCpuTimes())


@pytest.mark.parametrize(
    ("operation", "resume"),
    [(protocol.FreePort(1), False), (protocol.FindDeployed(()), False), (protocol.Stop("u", 1), True)],
)
def test_only_a_request_that_begins_something_may_go_to_a_new_agent(
    rig: Callable[..., Rig], operation: protocol.Operation[object], resume: bool
) -> None:
    made = rig(well, well)
    with Agents(60.0) as agents:
        agent = agents.start(LAB1)
        agent.ask(protocol.FindCpuTimes())
        made.channels[0].end()
        # The stand-in answers with what is no answer to it.
        with contextlib.suppress(HostError):
            agent.ask(operation)
    assert made.channels[1].sent[0].value["resume"] is resume


def test_an_agent_that_is_silent_is_connected_to_again(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "SILENCE_SECONDS", 0.2)
    rig(instead(b""), lambda _: Envelope("Hello", error="the agent shows no sign of life").line())
    with Agents(60.0) as agents, pytest.raises(HostError, match=r"^lab1: the agent shows no sign of life$"):
        agents.start(LAB1).ask(protocol.FindCpuTimes())

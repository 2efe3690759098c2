"""The controller's end of a bench agent: answers of every kind, limits, lost connections, and Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchrig.agent.bench import protocol
from benchrig.agent.bench.lines import ALIVE, BYE, LONGEST_LINE, Envelope, news_line, read_envelope
from benchrig.bench import host as bench_host
from benchrig.bench import patience
from benchrig.bench.host import Agents, OperationError
from benchrig.errors import HostError
from tests.support.agent_channels import CPU, LAB1, Answer, Rig, instead, well
from tests.support.cell import PLAN


def test_a_request_is_answered_and_signs_of_life_are_returned(rig: Callable[..., Rig]) -> None:
    made = rig(lambda request: ALIVE + well(request))
    with Agents(1.0) as agents:
        assert agents.start(LAB1).ask(protocol.FindCpuTimes()) == CPU
    assert [one.operation for one in made.channels[0].sent if one.operation != "Alive"] == ["Hello", "FindCpuTimes", "Bye"]
    assert "Alive" in {one.operation for one in made.channels[0].sent}


def test_an_error_of_an_operation_is_the_hosts_own(rig: Callable[..., Rig]) -> None:
    rig(instead(Envelope(error="it was the cable", id=1).line()))
    with Agents(1.0) as agents, pytest.raises(OperationError, match=r"^lab1: it was the cable$"):
        agents.start(LAB1).ask(protocol.FindCpuTimes())


NONSENSE = [
    b"nonsense",
    b"null",
    b"3",
    b'"text"',
    b"[]",
    b"true",
    b"{}" * 2,
    b"[" * 100_000,
    b'{"value": ' * 5000,
    b'{"value": {"at": NaN}, "id": 1}',
    b'{"value": {"at": Infinity}, "id": 1}',
    b'{"id": ' + b"9" * 5000 + b"}",
    b'{"id": "x"}',
    b'{"id": 1, "value": []}',
    b'{"id": 1, "value": {"at": null}}',
    b'{"id": 1, "value": {"at": [1], "total": {}, "idle": true, "steal": "x", "interrupts": 1}}',
    b'{"id": 1, "surprise": 1}',
    b'{"id": 1}',
    b"\xff\xfe",
    b"\x00",
    b'"\\ud800"',
]


@pytest.mark.parametrize("answer", NONSENSE, ids=range(len(NONSENSE)))
def test_an_answer_that_is_none_is_a_line_that_names_the_host(rig: Callable[..., Rig], answer: bytes) -> None:
    rig(instead(answer + b"\n"))
    with Agents(1.0) as agents, pytest.raises(HostError, match=r"^lab1: the agent answers nonsense: ") as caught:
        agents.start(LAB1).ask(protocol.FindCpuTimes())
    assert len(str(caught.value)) < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "value", "at", "error", "x"]), inner),
    max_leaves=12,
)


@given(data=st.one_of(st.binary(max_size=60), JSON.map(lambda value: repr(value).encode())))
@settings(max_examples=300, deadline=None)
def test_no_line_is_a_traceback(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        read_envelope(data)


def test_a_line_without_end_is_a_line_that_names_the_host_and_memory_is_bounded(rig: Callable[..., Rig]) -> None:
    made = rig(instead(b"x" * (50 << 20)))
    with Agents(1.0) as agents, pytest.raises(HostError, match=r"^lab1: it sent a line of more than 32 MB$"):
        agents.start(LAB1).ask(protocol.FindCpuTimes())
    # What came after the limit was not read.
    assert made.channels[0]._data.qsize() * (1 << 16) > 10 << 20 < LONGEST_LINE


FACTS = protocol.MachineFacts("x" * 20_000_000, 2, 1 << 30, "6.1", "Debian", "kvm", {}, {}, {}, 1024, 28_000)


@pytest.mark.parametrize(
    "facts",
    [
        FACTS,
        replace(FACTS, versions={"go": "\0" * 1_000_000}),
        replace(FACTS, sysctls={str(n): "1" for n in range(100_000)}),
    ],
)
def test_a_host_that_says_too_much_of_itself_is_cut_short(rig: Callable[..., Rig], facts: protocol.MachineFacts) -> None:
    rig(instead(Envelope(value=asdict(facts), id=1).line()))
    with Agents(1.0) as agents:
        found = agents.start(LAB1).ask(protocol.FindMachineFacts({}))
    assert found.cpu == "x" * 1000 + "…"
    assert len(json.dumps(asdict(found))) < 1 << 20


def test_a_body_is_not_cut(rig: Callable[..., Rig]) -> None:
    reply = protocol.Reply(200, "x" * (4 << 20))
    rig(instead(Envelope(value=vars(reply), id=1).line()))
    with Agents(1.0) as agents:
        assert agents.start(LAB1).ask(protocol.Fetch("h", 1, "/", 1.0)) == reply


def test_a_long_error_is_cut_short(rig: Callable[..., Rig]) -> None:
    rig(instead(Envelope(error="x" * 20_000_000, id=1).line()))
    with Agents(1.0) as agents, pytest.raises(OperationError) as caught:
        agents.start(LAB1).ask(protocol.FindCpuTimes())
    assert len(str(caught.value)) < 101_000


def test_an_operation_has_a_time_limit_of_its_own(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    rig(instead(b""))
    monkeypatch.setattr(bench_host, "limit", lambda _: 0.2)
    with (
        Agents(1.0) as agents,
        pytest.raises(HostError, match=r"^lab1: FindCpuTimes was not done within 0 s; "),
    ):
        agents.start(LAB1).ask(protocol.FindCpuTimes())


@pytest.mark.parametrize(
    ("operation", "seconds"),
    [
        (protocol.RunLoad((), "", 42.0), 72.0),
        (protocol.Fetch("h", 1, "/", 10.0), 70.0),
        (protocol.AwaitAnswer("u", 1, "/", 30.0), 180.0),
        (protocol.ResetData("films"), 480.0),
        (protocol.FindCpuTimes(), 120.0),
    ],
)
def test_the_limit_of_an_operation_follows_from_its_own_times(operation: protocol.Operation[object], seconds: float) -> None:
    assert patience.limit(operation) == seconds


def test_a_cell_lasts_longer_than_its_load() -> None:
    assert patience.cell_seconds(PLAN) > PLAN.duration_seconds + PLAN.warm_up_seconds


def test_an_agent_that_refuses_says_who_has_the_host(rig: Callable[..., Rig]) -> None:
    rig(lambda _: Envelope("Hello", error="a bench by ann has had this host for 3 min (process 4 on the host)").line())
    with Agents(1.0) as agents, pytest.raises(HostError, match=r"^lab1: a bench by ann has had this host"):
        agents.start(LAB1).ask(protocol.FindCpuTimes())


def ask(operation: protocol.Operation[object]) -> None:
    """Ask an agent one thing, and end it."""
    with Agents(60.0) as agents:
        agents.start(LAB1).ask(operation)


@pytest.fixture
def interrupting() -> Iterator[Callable[[float], None]]:
    """Return what presses Ctrl-C after some seconds."""
    timers: list[threading.Timer] = []

    def interrupt(seconds: float) -> None:
        timers.append(threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)))
        timers[-1].start()

    yield interrupt
    for timer in timers:
        timer.join()


def hung(request: Envelope) -> bytes:
    """Greet, and say nothing more, not even goodbye."""
    return well(request) if request.operation == "Hello" else b""


@pytest.mark.parametrize("answer", [instead(b""), hung])
def test_ctrl_c_is_heard_within_a_second_whatever_the_agent_does(
    rig: Callable[..., Rig], interrupting: Callable[[float], None], answer: Answer
) -> None:
    made = rig(answer)
    began = time.monotonic()
    interrupting(0.2)
    with pytest.raises(KeyboardInterrupt):
        ask(protocol.RunLoad((), "", 60.0))
    assert time.monotonic() - began < 0.2 + 1.0
    assert made.channels[0].sent[-1].operation == "Bye"


def test_a_second_ctrl_c_ends_at_once_and_the_goodbye_was_said(
    rig: Callable[..., Rig], interrupting: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_host, "INTERRUPTED_SECONDS", 30.0)
    made = rig(hung)
    began = time.monotonic()
    interrupting(0.2)
    interrupting(0.6)
    with pytest.raises(KeyboardInterrupt):
        ask(protocol.RunLoad((), "", 60.0))
    assert 0.5 < time.monotonic() - began < 2.0
    assert made.channels[0].sent[-1] == read_envelope(BYE)


NEWS = protocol.News(1.0, 20_000, 200, 3, 0, idle_percent=12.5, steal_percent=0.0)


def test_news_are_kept_beside_the_answers_and_only_the_last_ones(rig: Callable[..., Rig]) -> None:
    later = replace(NEWS, seconds=2.0)
    flood = news_line(NEWS) * 1000 + news_line(later)
    rig(lambda request: flood + well(request) if request.id else well(request))
    with Agents(1.0) as agents:
        agent = agents.start(LAB1)
        assert agent.news() is None
        began = time.monotonic()
        assert agent.ask(protocol.FindCpuTimes()) == CPU
        told = agent.news()
        assert told
        assert told[1] == later
        assert began <= told[0] <= time.monotonic()


@pytest.mark.parametrize(
    "line",
    [
        b'{"operation": "News", nonsense\n',
        b'{"operation": "News", "value": {"seconds": "x"}, "error": "", "id": 0}\n',
        b'{"operation": "News", "value": {"seconds": NaN}, "error": "", "id": 0}\n',
        b'{"operation": "News", "value": "' + b"x" * 10_000 + b'"}\n',
    ],
)
def test_news_that_are_none_are_left_out(rig: Callable[..., Rig], line: bytes) -> None:
    rig(lambda request: line + well(request) if request.id else well(request))
    with Agents(1.0) as agents:
        agent = agents.start(LAB1)
        assert agent.ask(protocol.FindCpuTimes()) == CPU
        assert agent.news() is None

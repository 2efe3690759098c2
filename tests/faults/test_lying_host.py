"""A host that sends what no agent sends: it harms neither the controller nor another host's results."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchrig.agent.play import events, wire
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.provision import conversation
from benchrig.provision.bundle import Bundle
from benchrig.provision.exchange import Exchange
from benchrig.provision.progress import Progress
from benchrig.provision.run import ProvisionError
from tests.support.faults import fault
from tests.support.hosts import AGENT, Hosts, hosts, of_roles, project, run, written
from tests.support.rig import Project

__all__ = ["hosts", "project"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")

GROUPS = {"databases": ["db1"], "servers": ["web1"]}

LIES = {
    "events without end": ("while True: send(event='ItemDone', status='ok')", "the agent sent more than 100000 events"),
    "lines that are no events": ("while True: os.write(1, b'nonsense\\n')", "the agent sent lines that are no events"),
    "events of wrong types": (
        "while True: send(event='ItemDone', status=[5], label={})",
        "the agent sent lines that are no events",
    ),
    "a line without end": ("while True: os.write(1, b'x' * 65536)", "a line of more than"),
    "a variable of 100 MB": ("send(event='Found', name='a', value='x' * 100_000_000)", "a line of more than"),
    "variables without end": (
        "while True: send(event='Found', name='a', value='x' * 1_000_000)",
        "the agent told more than 32 MB of variables",
    ),
    "results of 1 MB without end": (
        "for n in range(10**6): send(event='ItemDone', status='changed', label=f'{n}' + 'x' * 1_000_000)",
        "the agent told more than 32 MB",
    ),
    "texts of 1 MB without end": (
        "for n in range(10**6): send(event='TaskStarted', name='x' * 1_000_000, role='', where=f'{n}')\nsend(event='Recap')",
        "the agent told more than 32 MB",
    ),
    "the bundle, again and again": (
        "while True:\n    send(event='NeedBundle')\n    inbox.read(int(inbox.readline()))",
        "the agent asked for the same bundle again and again",
    ),
    "a host that is none": (
        "send(event='NeedFound', host='../x', name='a', at=[0, 0])\ninbox.readline()",
        "the agent asked for a variable of '../x', which it has no need of",
    ),
    "a reason of 10 MB": ("send(event='Ended', reason='x' * 10_000_000)", "xxxxx…"),
    "a host in use for 10 MB": ("send(event='Ended', reason='x' * 10_000_000, in_use=True)", "xxxxx…"),
}
"""What the agent of web1 does, and how its run ends."""

LIAR = """
import json, os, sys
if sys.argv[1].endswith("web1"):
    inbox = sys.stdin.buffer
    inbox.readline()
    def send(**event):
        data = json.dumps(event).encode() + b"\\n"
        while data:
            data = data[os.write(1, data):]
"""


def lying(monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    """Have the agent of web1 lie."""
    indented = "".join(f"    {line}\n" for line in lie.splitlines())
    monkeypatch.setattr("tests.support.hosts.AGENT", f"{LIAR}{indented}    sys.exit(0)\n{AGENT}")


@fault(
    "Provisioning",
    done="one of two hosts that sends events without end, no events, a variable of 100 MB, texts of 1 MB or wrong "
    "types, or asks for the bundle again and again or for what it may not have",
    promised="its run ends with one line that says why; the other host's run and the controller are not harmed",
    seen="each ended within 25 s, in less than 400 MB, with a line such as `the agent sent more than 100000 "
    "events`; the other host's recap was whole",
)
@needs_root
@pytest.mark.parametrize("lie", LIES)
def test_lie_ends_the_run_of_its_host_alone(
    hosts: Hosts, project: Project, lie: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    does, ends = LIES[lie]
    write = "- name: Write\n  ansible.builtin.copy: {content: x, dest: '{{ dir }}/a', mode: '0644'}\n"
    of_roles(
        project, database=write, server="- name: See\n  ansible.builtin.debug: {msg: '{{ hostvars.db1.x | default(1) }}'}\n"
    )
    lying(monkeypatch, does)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with pytest.raises(ProvisionError, match="web1") as failed:
        run(hosts, project, GROUPS)
    assert time.monotonic() - started < 25
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "kB"
    recaps = {recap.host: recap for recap in failed.value.recaps}
    assert (recaps["db1"].changed, recaps["db1"].failed) == (1, 0)
    assert recaps["web1"].failed + recaps["web1"].unreachable == 1
    assert ends in recaps["web1"].failure
    assert len(capfd.readouterr().err) < 20_000
    assert set(written(project)) == {"a"}


@needs_root
def test_nothing_is_heeded_after_a_recap(
    hosts: Hosts, project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    of_roles(project, database="[]", server="[]")
    lying(monkeypatch, "send(event='Recap', ok=9, confirm=True)\nwhile True: send(event='Notice', text='never')")
    assert run(hosts, project, GROUPS)["web1"].ok == 9
    assert "never" not in capfd.readouterr().err


def test_a_loop_without_end_keeps_three_labels(capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress("one", name_host=False, check=False)
    progress.show(events.TaskStarted("Each", "role", "x:1"))
    for number in range(1000):
        progress.show(events.ItemDone("changed", f"label {number}", message="made"))
    assert len(progress._labels) == 3
    progress.end_task()
    for label, message in (("a", "x"), ("b", "y"), ("c", "y")):
        progress.show(events.ItemDone("changed", label, message=message))
    progress.end_task()
    assert capfd.readouterr().err.splitlines()[-2:] == [
        "changed: role : Each (label 0, label 1, label 2 and 997 more): made",
        "changed: role : Each (a, b, c)",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

NAMES = sorted({name for kind in events._KINDS.values() for name in kind} | {"event", "surplus"})

EVENTS = st.builds(
    lambda kind, rest: {"event": kind, **rest},
    st.sampled_from([*(kind.__name__ for kind in events._KINDS), "Nonsense", None, 7]),
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
)

GOOD = st.sampled_from(
    [
        events.TaskStarted("a", "b", "c:1"),
        events.ItemDone("changed", "x", message="y"),
        events.ItemDone("failed", diff="+a\n-b", rc=3, hint="z"),
        events.Earlier("a", "b", "c:1", who="w"),
        events.PlayStarted("p"),
        events.Notice("n"),
        events.NeedBundle(),
        events.NeedFound("other", "x", (0, 0)),
        events.NeedFound("nobody", "x", (0, 0)),
        events.Reached((0, 1)),
        events.Found("x", {"a": [1]}, secret=True),
        events.Ended("e", "h"),
        events.Recap(ok=1, pending=("h",), confirm=True),
    ]
).map(events.encode)

LINES = st.lists(
    GOOD
    | EVENTS.map(lambda event: wire.dumps(event).encode())
    | JSON.map(lambda value: wire.dumps(value).encode())
    | st.binary(),
    max_size=12,
)


@settings(max_examples=400, deadline=None)
@given(EVENTS | JSON)
def test_any_json_is_an_event_or_no_event(data: Any) -> None:
    line = wire.dumps(data).encode()
    try:
        event = events.decode(line)
    except ValueError:
        return
    assert events.decode(events.encode(event)) == event


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_no_event(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        events.decode(line)


def test_an_honest_host_is_no_liar_after_many_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    found = events.encode(events.Found("x", "y" * 4_000_000))
    lines = [
        b"cut off",
        b"cut off",
        b"cut off",
        events.encode(events.NeedBundle()),
        found,
        found,
        events.encode(events.Recap()),
    ]
    monkeypatch.setattr("benchrig.provision.conversation.ship.start", lambda remote, _: remote)
    exchange = Exchange(["one"])
    request = events.Request("sha", (0,), "one", {}, {"one": {}})
    progress = Progress("one", name_host=True, check=False)
    talk = conversation.Conversation(Host("one", (), {}), request, Bundle({}, frozenset()), progress, exchange)
    for _ in range(10):
        remote: Any = Remote(lines)
        assert talk.hold(remote)
        talk.again()
    assert not talk.broken
    assert len(exchange._told["one"].found) == 1, "what comes again takes no more room"


class Remote:
    """A connection to an agent that sends these lines."""

    host = Host("one", (), {})
    execs = 1

    def __init__(self, lines: list[bytes]) -> None:
        self.sent = b""
        self._lines = lines

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return

    def send(self, data: bytes) -> None:
        """Take bytes."""
        self.sent += data

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, cut where they have an end."""
        for line in self._lines:
            yield line.partition(b"\n")[0]

    def wait_for(self, seconds: float | None) -> None:
        """Do nothing."""

    def finish(self) -> tuple[int, bytes]:
        """Return how the agent ended."""
        return 1, b"it \xff broke"


@fault(
    "Input",
    done="300 random conversations of a host: true events, events with random fields, random JSON and random bytes",
    promised="the run of that host ends with a recap or a reason, and with no traceback",
    seen="300 of 300 ended so",
)
@settings(max_examples=300, deadline=None)
@given(LINES)
def test_conversation_ends_whatever_comes(lines: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchrig.provision.conversation.ship.start", lambda remote, _: remote)
        request = events.Request("sha", (0,), "one", {}, {"one": {}}, peers=("other",))
        exchange = Exchange(["one", "other"])
        exchange.end("other")
        progress = Progress("one", name_host=True, check=False)
        talk = conversation.Conversation(Host("one", (), {}), request, Bundle({}, frozenset()), progress, exchange)
        remote: Any = Remote(lines)
        try:
            recap = talk.hold(remote)
        except HostError:
            return
        assert recap is not None or talk.broken

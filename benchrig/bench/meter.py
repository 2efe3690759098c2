"""The meter of a cell: about how many requests per second are answered, and what the kernel counts, while the load runs.

A load generator says nothing before its end. The kernel knows how many TCP segments with data the server sends. How many
of them a reply takes is known from the warm-up, or from an earlier repeat of the row. Where it is not known, there is no
figure.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass

from benchrig.agent.bench.protocol import LoadOutput, News, Sent
from benchrig.bench.generators.base import LoadGenerator, OutputError
from benchrig.bench.host import Host
from benchrig.bench.traffic import Traffic
from benchrig.results.audit.machines import NO_IDLE_PERCENT, STEAL_PERCENT
from benchrig.results.model import Cell
from benchrig.results.running import Notice, Seen

MANY_REPLIES = 500
"""With so many, what else a machine sends meanwhile is a small part."""

FEW_REPLIES = 20
"""With so many, it is less than half a segment for each, so a reply that takes a whole number takes the nearest one."""

LATE_SECONDS = 3.5
"""News come each second; older ones are not shown any more."""

SHARES_SECONDS = 2.0
"""Before, the machine's shares of CPU time are those of the start."""

LARGEST = 2.0**53


@dataclass(frozen=True)
class WarmUp:
    """A warm-up: what the server had sent before it, and what the load generator wrote."""

    before: Sent
    output: LoadOutput


@dataclass(frozen=True)
class Loaded:
    """A server under load."""

    host: Host
    both_ends: bool
    """The load generator runs there too, so its requests are counted with the replies."""
    shares_cpus: bool
    """Load generator and app run on the same CPUs."""


class Meter:
    """Reads a cell's figures while its load runs. One thread measures the cell, another looks."""

    def __init__(self, per_reply: float | None = None) -> None:
        self.per_reply = per_reply
        """How many segments a reply takes, with its request where both ends are counted; None: not known."""
        self.rate: float | None = None
        """About how many requests are answered per second now; None: not known."""
        self.notices: tuple[Notice, ...] = ()
        """What would spoil the cell's figures, as far as it is known."""
        self._loaded: Loaded | None = None
        self._began = self._heard = 0.0
        self._last: News | None = None

    def calibrate(
        self, warm_up: WarmUp, after: Sent, generator: LoadGenerator, traffic: Traffic, *, both_ends: bool
    ) -> None:
        """Take from a warm-up how many segments a reply takes, unless an earlier repeat told it."""
        if self.per_reply is not None:
            return
        try:
            replies = generator.read_load(warm_up.output.stdout).requests
        except OutputError:
            return
        before = warm_up.before
        found = _per_reply(after.segments - before.segments, after.opened - before.opened, replies, both_ends)
        if replies >= MANY_REPLIES:
            self.per_reply = found
        elif replies >= FEW_REPLIES and len(traffic.routes) == 1 and traffic.script is None:
            self.per_reply = max(1.0, round(found)) if found else None

    @contextmanager
    def reading(self, loaded: Loaded | None) -> Iterator[None]:
        """Have figures of a server during the block; None has none, as of a service that is not ours."""
        self._began, self._last, self._loaded = time.monotonic(), None, loaded
        try:
            yield
        finally:
            self._loaded = self.rate = None

    def look(self) -> None:
        """Take in what the server's agent has told."""
        loaded = self._loaded
        told = loaded.host.news() if loaded else None
        if loaded is None or told is None or told[0] < self._began:
            return
        heard, news = told
        if heard > self._heard and _is_sound(news):
            rate = self._rate(news, loaded)
            # The load may have ended meanwhile: a figure of it must not stay.
            self.rate = rate if self._loaded is loaded else None
            self.notices = tuple(_notices(news, loaded))
            self._last, self._heard = news, heard
        elif time.monotonic() - self._heard > LATE_SECONDS:
            self.rate = None

    def _rate(self, news: News, loaded: Loaded) -> float | None:
        before = self._last or News(0.0, 0, 0, 0, 0, 0.0, 0.0)
        seconds = news.seconds - before.seconds
        if not self.per_reply or seconds <= 0:
            return None
        segments = news.segments - before.segments - (news.opened - before.opened if loaded.both_ends else 0)
        return max(0, segments) / self.per_reply / seconds


def per_reply_of(cell: Cell) -> float | None:
    """Return how many segments a reply of a measured cell took, as `Meter.per_reply`; None where that is not known."""
    load, server = cell.load, cell.server
    if not (cell.status == "measured" and load and server and server.series.is_sound and load.requests >= FEW_REPLIES):
        return None
    return _per_reply(sum(server.series.segments), sum(server.series.opened), load.requests, cell.load_on_server)


def _per_reply(segments: int, opened: int, replies: int, both_ends: bool) -> float | None:
    """Return segments per reply. Of what both ends sent, the first request of each connection does not count.

    When a load begins, all its connections send a request, long before the replies come: they would be taken for replies.
    """
    counted = segments - (opened if both_ends else 0)
    return counted / replies if counted > 0 else None


_NOTICED: Mapping[Seen, str] = {
    "listen_overflows": "listen backlog overflows: {:,.0f}",
    "retransmits": "retransmits: {:,.0f}",
    "steal_percent": "steal: {:.1f} % of the CPU time",
    "idle_percent": "idle: {:.1f} % of the CPU time",
}


def noticed(notice: Notice) -> str:
    """Return a notice in words."""
    return _NOTICED[notice.what].format(notice.value)


def _notices(news: News, loaded: Loaded) -> Iterator[Notice]:
    if news.listen_overflows:
        yield Notice("listen_overflows", news.listen_overflows)
    if news.retransmits:
        yield Notice("retransmits", news.retransmits)
    if news.seconds >= SHARES_SECONDS:
        if news.steal_percent >= STEAL_PERCENT:
            yield Notice("steal_percent", news.steal_percent)
        if loaded.shares_cpus and news.idle_percent < NO_IDLE_PERCENT:
            yield Notice("idle_percent", news.idle_percent)


def _is_sound(news: News) -> bool:
    """Say whether a machine can have counted this: a host may send anything."""
    return all(0 <= value <= LARGEST for value in astuple(news))

"""The replies of a row, counted over its repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchrig.language import say
from benchrig.report.sentences import listed
from benchrig.results.model import Cell, Check, RouteReplies


@dataclass(frozen=True)
class Replies:
    """How many replies there were by status and by route, in all repeats, and what of them was compared."""

    statuses: Mapping[str, int]
    sent: Mapping[str, int]
    """Requests by route; empty when the row has one route, or its script makes the requests."""
    right: tuple[RouteReplies, ...]
    """The right replies, by the routes that they fit."""
    compared: Mapping[str, Check]
    """What of a route's replies was compared under load."""

    @property
    def line(self) -> str:
        """They in words: by status, then by route."""
        return _line(self)


def replies_of(cells: Sequence[Cell]) -> Replies | None:
    """Return the replies of measured repeats; None when an earlier version measured them, which did not count."""
    loads = [cell.load for cell in cells if cell.load and cell.load.statuses]
    if not loads:
        return None
    statuses: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    right: Counter[tuple[int, tuple[str, ...]]] = Counter()
    for load in loads:
        statuses.update(load.statuses)
        sent.update(load.sent)
        right.update({(kind.status, kind.routes): kind.replies for kind in load.replies})
    return Replies(
        statuses=dict(sorted(statuses.items())),
        sent=dict(sent),
        right=tuple(RouteReplies(*kind, replies) for kind, replies in sorted(right.items())),
        compared=next((cell.checks.under_load for cell in cells if cell.checks), {}),
    )


def _line(replies: Replies) -> str:
    counts = replies.statuses.items()
    parts = [say(", ").join(say("status {status} {count}", status=one, count=f"{count:,}") for one, count in counts)]
    for route, sent in replies.sent.items():
        right = [_right(kind) for kind in replies.right if kind.routes == (route,)]
        parts.append(
            say(
                "{route}: {sent} requests, right replies: {right}",
                route=route,
                sent=f"{sent:,}",
                right=say(", ").join(right) or say("none of its own"),
            )
        )
    for kind in replies.right:
        if len(kind.routes) > 1:
            parts.append(say("{routes} alike: {replies}", routes=listed(kind.routes), replies=_right(kind)))
    return say("; ").join(parts)


def _right(kind: RouteReplies) -> str:
    return say("{count} with status {status}", count=f"{kind.replies:,}", status=kind.status)

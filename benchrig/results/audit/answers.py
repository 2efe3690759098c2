"""Warnings about the replies: whether each request got its own answer, and how far the replies were compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, RouteReplies, Run
from benchrig.results.warnings import Value, Warning, number


def _misplaced(cell: Cell, _: Run) -> Iterator[Warning]:
    """Find replies that cannot be the answers of any requests: more of them came than requests of their routes were sent.

    The load generator counts its requests by route, and each of them gets one reply at most, so this needs no tolerance.
    """
    load = cell.load
    if not (load and load.sent):
        return
    left = unassigned(load.sent, load.replies)
    if not any(left):
        return
    worst = max(range(len(left)), key=left.__getitem__)
    routes = load.replies[worst].routes
    values: dict[str, Value] = {
        "misplaced": number(sum(left)),
        "requests": number(load.requests),
        "routes": routes,
        "sent": number(sum(load.sent.get(route, 0) for route in routes)),
        "replies": number(load.replies[worst].replies),
    }
    yield Warning(Code.MISPLACED_REPLIES, cell.host, values, invalid=True)


def unassigned(sent: Mapping[str, int], replies: Sequence[RouteReplies]) -> list[int]:
    """Return how many replies of each kind remain when as many as possible are assigned to requests that they can answer.

    This is the maximum flow from kinds of replies to routes, by augmenting paths: L. R. Ford, D. R. Fulkerson, Maximal Flow
    through a Network, Canadian Journal of Mathematics 8 (1956).
    """
    room = dict(sent)
    given: dict[str, dict[int, int]] = defaultdict(dict)
    left = [kind.replies for kind in replies]
    for kind in range(len(left)):
        while left[kind] and (path := _path(kind, replies, room, given)):
            amount = min(left[kind], room[path[-1][1]], *(given[route][other] for route, other in _taken(path)))
            for giver, route in path:
                given[route][giver] = given[route].get(giver, 0) + amount
            for route, other in _taken(path):
                given[route][other] -= amount
            room[path[-1][1]] -= amount
            left[kind] -= amount
    return left


def _taken(path: Sequence[tuple[int, str]]) -> Iterator[tuple[str, int]]:
    """Yield each route on a path with the kind of replies that gives way there."""
    return ((route, other) for (_, route), (other, _) in pairwise(path))


def _path(
    kind: int, replies: Sequence[RouteReplies], room: Mapping[str, int], given: Mapping[str, Mapping[int, int]]
) -> list[tuple[int, str]]:
    """Return the shortest way to a route with room: kinds, each with the route that it goes to; empty when there is none."""
    came: dict[str, tuple[int, str]] = {}
    waiting = [(kind, "")]
    for giver, before in waiting:
        for route in replies[giver].routes:
            if route in came or route not in room:
                continue
            came[route] = giver, before
            if room[route]:
                return _steps(route, came)
            waiting += [(other, route) for other, amount in given[route].items() if amount]
    return []


def _steps(route: str, came: Mapping[str, tuple[int, str]]) -> list[tuple[int, str]]:
    path: list[tuple[int, str]] = []
    while route:
        giver, before = came[route]
        path.insert(0, (giver, route))
        route = before
    return path


def _same(cell: Cell, _: Run) -> Iterator[Warning]:
    if cell.checks and cell.checks.same:
        yield Warning(Code.SAME_REPLY, cell.host, {"requests": cell.checks.same})


def _partly(cell: Cell, _: Run) -> Iterator[Warning]:
    """Tell where replies were not held against the whole expectation of their own route."""
    if cell.checks and cell.checks.partly:
        yield Warning(Code.PARTLY_CHECKED, cell.host, {"case": "status", "requests": cell.checks.partly})
    if cell.load and (unseen := cell.load.requests - cell.load.replies_checked) > 0:
        values: dict[str, Value] = {
            "case": "unseen",
            "replies": number(unseen),
            "requests": number(cell.load.requests),
        }
        yield Warning(Code.PARTLY_CHECKED, cell.host, values, invalid=True)
    if cell.load and cell.checks and len(cell.checks.under_load) > 1 and not cell.load.sent:
        yield Warning(Code.PARTLY_CHECKED, cell.host, {"case": "uncounted", "routes": tuple(cell.checks.under_load)})
    alike = [kind for kind in cell.load.replies if len(kind.routes) > 1] if cell.load else []
    if cell.load and alike:
        values = {
            "case": "alike",
            "routes": tuple(dict.fromkeys(route for kind in alike for route in kind.routes)),
            "replies": number(sum(kind.replies for kind in alike)),
            "requests": number(cell.load.requests),
        }
        yield Warning(Code.PARTLY_CHECKED, cell.host, values)


DETECTORS: tuple[Detector, ...] = (_misplaced, _same, _partly)

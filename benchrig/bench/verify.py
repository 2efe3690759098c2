"""Verification of an app: each route is requested before any load, and its whole reply is checked.

A canned reply must not pass. So a route with parameters is requested twice, with different values: other captured values,
or another of its bodies. And each route's first request comes in two TCP segments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchrig import reading
from benchrig.agent.bench.protocol import Reply, Split
from benchrig.agent.text import short
from benchrig.bench.generators.base import Captures, PatternError
from benchrig.bench.traffic import PLACEHOLDER, Route, Traffic
from benchrig.results.model import Check, Checks

SHOWN = 80
"""How many characters of a value a message shows."""

MOST_BODIES = 2
"""How many of a route's bodies are sent. With more, its exact replies are not known."""

Send = Callable[[Route, Split], Reply]
"""Makes a request, in one TCP segment or cut into two."""


class WrongAnswerError(Exception):
    """A reply is not what the route expects; the text names the request and the first difference."""


@dataclass(frozen=True)
class Verified:
    """What the load needs to know of an app that answers rightly."""

    traffic: Traffic
    """The row's traffic, with expectations that a load generator can check."""
    answers: Mapping[str, tuple[str, ...]]
    """By route, the bodies of which each reply must be one, byte for byte; where it sends several bodies, one for each."""
    checks: Checks


def verify(traffic: Traffic, send: Send, captures: Captures | None) -> Verified:
    """Make each request, in order, and again those that have parameters or give them; return what the replies must be.

    `captures` takes the parts of a reply that later requests need. Raises WrongAnswerError for the first wrong reply.
    """
    trial = _Trial(send, captures)
    routes = list({route.name: route for route in traffic.routes}.values())
    for route in routes:
        trial.ask(route, 0, "head")
    for route in routes:
        if route.bodies or route.capture or trial.isfilled(route):
            trial.ask(route, 1, "body" if route.bodies else "")
    loaded = {route.name: trial.under_load(route) for route in routes}
    answers = {route.name: found for route in routes if (found := trial.answers(route))}
    under_load = {route.name: _check(route, route.name in answers) for route in loaded.values()}
    checks = Checks(
        under_load,
        partly=tuple(route.title for route in routes if _is_less(route, under_load[route.name])),
        same=tuple(route.title for route in routes if trial.is_canned(route)),
    )
    return Verified(replace(traffic, routes=tuple(loaded[route.name] for route in traffic.routes)), answers, checks)


def _check(route: Route, is_exact: bool) -> Check:
    """Return what of a route's replies is compared under load."""
    if is_exact or route.body is not None:
        return "body"
    return "text" if route.contains else "status"


def _is_less(route: Route, check: Check) -> bool:
    """Whether less is compared under load than is expected."""
    return (route.says_the_whole and check != "body") or (bool(route.contains) and check == "status")


class _Trial:
    """The requests that were made, with their replies by route, and what was captured from them."""

    def __init__(self, send: Send, captures: Captures | None) -> None:
        self._send = send
        self._captures = captures
        self._captured: dict[str, str] = {}
        self._asked: dict[str, list[tuple[Route, Reply]]] = {}

    def ask(self, route: Route, turn: int, split: Split) -> None:
        """Make a request, and keep its reply and what it captures. Raises WrongAnswerError."""
        request = filled(route, self._captured, turn)
        reply = self._answer(request, split)
        self._asked.setdefault(route.name, []).append((request, reply))
        if route.capture and self._captures:
            self._captured |= _captured(route, reply.body, self._captures)

    def isfilled(self, route: Route) -> bool:
        """Whether a request has what an earlier reply gave."""
        return bool(route.placeholders & self._captured.keys())

    def answers(self, route: Route) -> tuple[str, ...]:
        """Return the exact bodies of a route's replies, one for each of its own bodies; none if there may be others."""
        if self._is_encoded(route):
            return ()
        if route.replies:
            varies = self._captured.keys() & set(PLACEHOLDER.findall("\n".join(route.replies)))
            return () if varies else route.replies
        if route.json is None or len(set(route.bodies)) > MOST_BODIES:
            return ()
        return tuple(reply.body for _, reply in self._asked[route.name])

    def under_load(self, route: Route) -> Route:
        """Return a route without the expectations that a load generator cannot check: it does not decode a body."""
        return replace(route, body=None, replies=(), contains="", json=None) if self._is_encoded(route) else route

    def is_canned(self, route: Route) -> bool:
        """Whether different requests got the same body, and the expectation does not say that it is the same.

        Headers do not count: another token often gives the same reply.
        """
        asked = self._asked[route.name]
        sent = {(request.path, request.bodies) for request, _ in asked}
        bodies = {reply.body for _, reply in asked}
        return len(sent) > 1 == len(bodies) and any(bodies) and not route.says_the_whole

    def _is_encoded(self, route: Route) -> bool:
        return any(reply.encoding for _, reply in self._asked[route.name])

    def _answer(self, route: Route, split: Split) -> Reply:
        """Return the right reply to a request. Raises WrongAnswerError, which tells if only the two segments matter."""
        reply = self._send(route, split)
        wrong = mistake(route, reply, split)
        if not wrong:
            return reply
        if split:
            if in_one := mistake(route, self._send(route, "")):
                raise WrongAnswerError(f"{route.title}: {in_one}")
            wrong = f"right when the request comes in one TCP segment, but wrong when it comes in two: {wrong}"
        raise WrongAnswerError(f"{route.title}: {wrong}")


def mistake(route: Route, reply: Reply, split: Split = "") -> str:
    """Return what is wrong with a reply, with the first difference; empty when it is as expected."""
    if reply.early and split == "head":
        return f"the answer came after the first, before the request was complete{_shown_reply(reply)}"
    if reply.error:
        return f"no answer: {reply.error}"
    if reply.status != route.status:
        return f"status {reply.status} and {_shown(reply.body)}, not {route.status}"
    if reply.unread and (route.says_the_whole or route.contains):
        return f"the body has the content encoding {_shown(reply.encoding)}, and cannot be compared; do not ask for it"
    if route.body is not None and reply.body != route.body:
        return _text_difference(route.body, reply.body)
    if route.contains not in reply.body:
        beginning = f"the first {_mebibytes(reply)} MiB of " if reply.cut else ""
        return f"{beginning}the body is {_shown(reply.body)}, without {_shown(route.contains)}"
    if route.json is None:
        return ""
    if reply.cut:
        return f"the body is longer than {_mebibytes(reply)} MiB, and cannot be compared"
    try:
        found = reading.json_value(reply.body)
    except ValueError:
        return f"the body is {_shown(reply.body)}, which is not JSON"
    return difference(route.json, found)


def _mebibytes(reply: Reply) -> int:
    return len(reply.body.encode()) >> 20


def _shown_reply(reply: Reply) -> str:
    return f": status {reply.status} and {_shown(reply.body)}" if reply.status else ""


def _text_difference(expected: str, found: str) -> str:
    """Return how a body differs from the expected text, and how `app.yml` says that another one is right."""
    if found.rstrip("\r\n") == expected.rstrip("\r\n"):
        more = "more" if len(found) > len(expected) else "fewer"
        return f"the body has {more} line breaks at its end: {_end(found)}, not {_end(expected)}; 'body' is the whole body"
    if expected and expected in found:
        return f"the body is {_shown(found)}, not {_shown(expected)}; {_or_contains(expected)}"
    at = next((place for place, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other), None)
    at = min(len(expected), len(found)) if at is None else at
    if at + 1 < SHOWN // 2:
        return f"the body is {_shown(found)}, not {_shown(expected)}"
    return f"the body differs from character {at + 1:,} on: {_shown(found[at:])}, not {_shown(expected[at:])}"


def _or_contains(expected: str) -> str:
    return f"if any text with {_shown(expected)} in it is right, write 'contains' in place of 'body'"


def _end(text: str) -> str:
    """Return the end of a text, with its line breaks visible."""
    return repr(text if len(text) <= SHOWN else f"…{text[-SHOWN // 2 :]}")


def difference(expected: object, found: object, place: str = "") -> str:
    """Return the first difference of two JSON values, with its place as `995/title`; empty when they are equal."""
    at = f"{place} " if place else "the body "
    if isinstance(expected, dict) and isinstance(found, dict):
        return _of_mappings(expected, found, place)
    if isinstance(expected, list) and isinstance(found, list):
        pairs = zip(expected, found, strict=False)
        within = (difference(one, other, _below(place, index)) for index, (one, other) in enumerate(pairs))
        uneven = f"{at}has {len(found)} items, not {len(expected)}" if len(found) != len(expected) else ""
        return next(filter(None, within), uneven)
    # In Python true equals 1; in JSON it does not.
    same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return "" if same else f"{at}is {_shown(found)}, not {_shown(expected)}"


def _of_mappings(expected: dict[str, Any], found: dict[str, Any], place: str) -> str:
    for key, value in expected.items():
        if key not in found:
            return f"{_below(place, key)} is missing"
        if differs := difference(value, found[key], _below(place, key)):
            return differs
    return next((f"{_below(place, key)} should not be there" for key in found if key not in expected), "")


def _below(place: str, key: object) -> str:
    return f"{place}/{key}" if place else str(key)


def _shown(value: object) -> str:
    return short(repr(value), SHOWN)


def filled(route: Route, captured: Mapping[str, str], turn: int) -> Route:
    """Return a request with what earlier replies gave in the place of `{name}`, in what is expected too.

    Of several bodies it has the one whose turn it is, counted from 0.
    """
    names = route.placeholders & captured.keys()

    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda name: captured[name[1]] if name[1] in names else name[0], text)

    bodies = tuple(dict.fromkeys(route.bodies))
    sent = bodies[turn % len(bodies)] if bodies else ""
    body = route.replies[route.bodies.index(sent)] if route.replies else route.body
    return replace(
        route,
        path=fill(route.path),
        headers={name: fill(value) for name, value in route.headers.items()},
        bodies=(fill(sent),) if bodies else (),
        body=None if body is None else fill(body),
        contains=fill(route.contains),
    )


def _captured(route: Route, body: str, captures: Captures) -> dict[str, str]:
    """Return the parts of a reply that later requests need, by name. Raises WrongAnswerError when one is not there."""
    values: dict[str, str] = {}
    for name, pattern in route.capture.items():
        try:
            found = captures.find(pattern, body)
        except PatternError as error:
            raise WrongAnswerError(f"{route.title}: the capture '{name}': {error}") from None
        if found is None:
            raise WrongAnswerError(f"{route.title}: nothing matches the pattern {pattern!r} of '{name}' in {_shown(body)}")
        values[name] = found
    return values

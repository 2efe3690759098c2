"""Verification of an app: each route is requested once before any load, and its whole reply is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from benchrig import reading
from benchrig.agent.bench.protocol import Reply
from benchrig.agent.text import short
from benchrig.bench.generators.base import Captures, PatternError
from benchrig.bench.traffic import PLACEHOLDER, Route, Traffic

SHOWN = 80
"""How many characters of a value a message shows."""


class WrongAnswerError(Exception):
    """A reply is not what the route expects; the text names the request and the first difference."""


def verify(traffic: Traffic, send: Callable[[Route], Reply], captures: Captures | None) -> dict[str, str]:
    """Have `send` make each request once, in order, and return the exact bodies that later replies must equal, by route.

    `captures` takes the parts of a reply that later requests need. Raises WrongAnswerError for the first wrong reply.
    """
    answers: dict[str, str] = {}
    captured: dict[str, str] = {}
    for route in {route.name: route for route in traffic.routes}.values():
        reply = send(_filled(route, captured))
        if reply.error:
            raise WrongAnswerError(f"{route.title} got no answer: {reply.error}")
        if wrong := mistake(route, reply):
            raise WrongAnswerError(f"{route.title}: {wrong}")
        # Of several bodies, each may have an answer of its own.
        if route.json is not None and len(route.bodies) <= 1:
            answers[route.name] = reply.body
        if route.capture and captures:
            captured |= _captured(route, reply.body, captures)
    return answers


def mistake(route: Route, reply: Reply) -> str:
    """Return what is wrong with a reply, with the first difference; empty when it is as expected."""
    if reply.status != route.status:
        return f"status {reply.status} and {_shown(reply.body)}, not {route.status}"
    if route.contains not in reply.body:
        return f"the body is {_shown(reply.body)}, without {_shown(route.contains)}"
    if route.json is None:
        return ""
    if reply.cut:
        return f"the body is longer than {len(reply.body.encode()) >> 20} MiB, and cannot be compared"
    try:
        found = reading.json_value(reply.body)
    except ValueError:
        return f"the body is {_shown(reply.body)}, which is not JSON"
    return difference(route.json, found)


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


def _filled(route: Route, captured: Mapping[str, str]) -> Route:
    """Return a request with what earlier replies gave in the place of `{name}`; of several bodies it has the first."""

    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda name: captured.get(name[1], name[0]), text)

    headers = {name: fill(value) for name, value in route.headers.items()}
    return replace(route, path=fill(route.path), headers=headers, bodies=tuple(map(fill, route.bodies[:1])))


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

"""The Lua script with which wrk sends requests, checks replies and prints exact figures.

wrk rounds what it prints and hides what goes wrong; its `done` hook has the exact figures, and its `response` hook sees
every reply. The script uses both and ends with one line: the marker and a JSON object.

A script is a table of what is sent and expected, made here, followed by latency.lua, replies.lua and wrk.lua, always the
same. A request that never changes stays wrk's own constant one, as a `request` hook would cost time. A user's script runs
before ours sets its hooks: `setup`, `init`, `response` and `done` are called by ours, `delay` and `request` are kept.
What it sets in `wrk` holds for a constant request; of several, each is sent as its route says, with the script's headers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import ceil, gcd
from pathlib import Path
from random import Random

from benchrig.bench.generators.wrk.output import MARKER, PERCENTILES
from benchrig.bench.traffic import PLACEHOLDER, Route, Script, Traffic
from benchrig.yamlfile import shown

SHORTEST_ORDER = 1000
"""A mix is sent in an order of at least so many requests, so that no connection always gets the same route."""


MOST_GROUPS = 4
"""Into how many parts the replies to the bodies of a route are counted: one of the wrong part answered another request."""


def script(traffic: Traffic, answers: Mapping[str, tuple[str, ...]]) -> str:
    """Return the Lua script that sends `traffic` and checks its replies.

    `answers` has, by the name of a route, the exact bodies of good replies; without it, the route's own text is compared. Of
    a route with several bodies it has one for each: such a route is counted as up to MOST_GROUPS ones, by their answers.
    wrk does not say which request a reply answers: of several routes, a reply is right when it fits any, and the script
    counts which. What was asked is counted too, so that the two can be compared.
    A step that needs what no reply has given yet is replaced by the step that captures it; what is captured, and the
    place in the order, belong to one thread of wrk with all its connections.
    """
    routes = list({route.name: route for route in traffic.routes}.values())
    data: dict[str, object] = {
        "routes": [_route(routes, index, answers) for index in range(len(routes))],
        "order": _order([routes.index(route) for route in traffic.routes], traffic.weights),
        "in_steps": not traffic.weights,
        "percentiles": PERCENTILES,
        "marker": MARKER,
    }
    own = f"traffic.script = {_script(traffic.script)}\n" if traffic.script else ""
    return "\n".join((f"local traffic = {_lua(data)}\n{own}", *(path.read_text(encoding="utf-8") for path in _ALWAYS)))


def check_script(script: Script) -> str:
    """Return why a user's script does not compile, as `file:line: reason`; empty when it does. It is not run."""
    from lupa.luajit21 import LuaRuntime, LuaSyntaxError  # late: it takes time to load, and few suites have a script

    try:
        LuaRuntime().compile(script.text, name="=line", mode="t")
    except LuaSyntaxError as error:
        return f"{shown(script.path)}:{str(error).removeprefix('line:')}"
    return ""


_ALWAYS = tuple(Path(__file__).with_name(name) for name in ("latency.lua", "replies.lua", "wrk.lua"))
"""What is the same in every script, in the order in which it is loaded."""


def _route(routes: Sequence[Route], index: int, answers: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    """Return what wrk.lua knows of a route."""
    route = routes[index]
    needs = dict(_needs(routes, index))
    whole = route.body if route.body is not None else ""
    varies = needs.keys() & set(PLACEHOLDER.findall(whole + route.contains))
    exact = answers.get(route.name) or ((whole,) if route.body is not None and not varies else ())
    groups = _groups(exact)
    by_body = [groups[answer] for answer in exact] if len(exact) == len(route.bodies) > 1 else []
    count = max(groups.values()) if by_body else 1
    names = [route.name] if count == 1 else [f"{route.name}, replies {number} of {count}" for number in range(1, count + 1)]
    return {
        "json_names": [json.dumps(name) for name in names],
        "groups": by_body,
        "method": route.method,
        "path": route.path,
        "headers": dict(_headers(route)),
        "bodies": route.bodies or (False,),
        "status": route.status,
        "contains": route.contains,
        "answers": [(answer, group if by_body else 1) for answer, group in groups.items()] if exact else False,
        "pattern": _pattern(route, varies) if varies else False,
        "capture": route.capture,
        "needs": [{"name": name, "route": giver} for name, giver in needs.items()],
    }


def _groups(answers: Sequence[str]) -> dict[str, int]:
    """Return the number of the group of each answer: the same answer is always in the same one."""
    return {answer: index % MOST_GROUPS + 1 for index, answer in enumerate(dict.fromkeys(answers))}


def _pattern(route: Route, names: Collection[str]) -> str:
    """Return the Lua pattern of an expected text in which captured names stand for any text."""
    text = route.contains if route.body is None else route.body
    parts = re.split("|".join(re.escape(f"{{{name}}}") for name in names), text)
    pattern = "..-".join(re.sub(r"[!-/:-@\[-`{-~]", lambda sign: f"%{sign[0]}", part).replace("\0", "%z") for part in parts)
    return pattern if route.body is None else f"^{pattern}$"


def _headers(route: Route) -> Iterator[tuple[str, str]]:
    """Yield a route's headers; wrk itself counts the body, and looks for Host in this spelling before it adds its own."""
    for name, value in route.headers.items():
        if name.lower() != "content-length":
            yield ("Host" if name.lower() == "host" else name), value


def _needs(routes: Sequence[Route], index: int) -> Iterator[tuple[str, int]]:
    """Yield the captured names that a route uses, each with the number of the last route before it that captures it."""
    route = routes[index]
    givers = {name: number for number, giver in enumerate(routes[:index], 1) for name in giver.capture}
    for name, giver in givers.items():
        if name in route.placeholders:
            yield name, giver


def _order(indexes: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Return the order of the routes, by number from 1.

    In a mix, each round has every route as often as its weight says, shuffled: the proportions are exact all the time,
    and yet no rhythm of the order can meet one of the connections. The same mix always has the same order.
    """
    numbers = [index + 1 for index in indexes]
    if not weights:
        return numbers
    unit = gcd(*weights)
    one = [number for number, weight in zip(numbers, weights, strict=True) for _ in range(weight // unit)]
    shuffling = Random(0)
    return [number for _ in range(ceil(SHORTEST_ORDER / len(one))) for number in shuffling.sample(one, len(one))]


def _script(script: Script) -> str:
    """Return a user's script as a Lua table; its text stays readable, with its lines as they are."""
    level = "="
    while f"]{level}" in script.text:
        level += "="
    return f"{{name = {_lua(script.path.name)}, text = [{level}[\n{script.text}]{level}]}}"


def _lua(value: object) -> str:
    """Return a Lua literal of a text, a number, a truth value, a mapping or a sequence."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _lua_text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"[{_lua(key)}] = {_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "{" + ", ".join(map(_lua, value)) + "}"
    raise TypeError(f"{type(value).__name__} has no Lua literal")


def _lua_text(text: str) -> str:
    """Return a Lua string literal: every byte that is not plain is written as a decimal escape."""
    escaped = re.sub(rb"[^ -\[\]-~]", lambda byte: b"\\%03d" % ord(byte[0]), text.encode("utf-8", "surrogatepass"))
    return '"' + escaped.decode("ascii").replace('"', '\\"') + '"'

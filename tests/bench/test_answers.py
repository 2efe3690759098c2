"""Right and wrong servers under the real wrk: which of them is found out, and by what."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from benchrig.agent.bench.fetch import fetch
from benchrig.agent.bench.protocol import Fetch, Reply, Split
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.traffic import Route, Traffic
from benchrig.bench.verify import Verified, WrongAnswerError, verify
from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Load, RouteReplies
from tests.support.reports import a_cell, a_run
from tests.support.servers.http import (
    STYLES,
    Answer,
    Request,
    Serve,
    Style,
    answering,
    deaf,
    half_body,
    hasty,
    one_read,
    serving,
)  # fmt: skip
from tests.support.wrk import route, run_wrk, user_script

CAPTURES = WRK.capabilities.captures
HEALTH = route("health", body="ok")
MISSING = route("missing", status=404, contains="no such")
ITEM = route("item", json={"id": 1, "name": "lamp"})
MIX = Traffic((ITEM, MISSING), (9, 1))
CODES = {Code.MISPLACED_REPLIES, Code.SAME_REPLY, Code.PARTLY_CHECKED}


def shop(request: Request) -> tuple[int, str]:
    return {
        "/health": (200, "ok"),
        "/item": (200, '{"id": 1, "name": "lamp"}'),
    }.get(request.path, (404, "no such item"))


def verified(traffic: Traffic, port: int) -> Verified:
    def send(wanted: Route, split: Split) -> Reply:
        body = wanted.bodies[0] if wanted.bodies else ""
        return fetch(Fetch("127.0.0.1", port, wanted.path, 0.5, wanted.method, wanted.headers, body, split))

    return verify(traffic, send, CAPTURES)


def tried(traffic: Traffic, before: Answer, under_load: Answer | None = None, style: Style = "keep-alive") -> Tried:
    """Verify a server, load it when it answers as `under_load` says, and return what is found."""
    answers = [before]
    with serving(answering(lambda request: answers[-1](request), style)) as port:
        found = verified(traffic, port)
        answers.append(under_load or before)
        load = run_wrk(found.traffic, port, found.answers, threads=2, connections=8)
    cell = a_cell(load=load, checks=found.checks, name="row")
    warnings = {one.code: one for one in audit.warnings(cell, a_run()) if one.code in CODES}
    return load, {code: (one.invalid, sentence(one)) for code, one in warnings.items()}


Tried = tuple[Load, dict[Code, tuple[bool, str]]]


def text_of(error: pytest.ExceptionInfo[WrongAnswerError]) -> str:
    return str(error.value)


# Under load


@pytest.mark.parametrize("style", STYLES)
def test_a_correct_server_of_any_style_has_no_warning(style: Style) -> None:
    load, warnings = tried(MIX, shop, style=style)
    assert (warnings, load.replies_wrong, load.errors.read) == ({}, 0, 0)
    assert load.replies_checked == load.requests == sum(load.statuses.values()) > 50
    assert set(load.statuses) == {"200", "404"}
    by_route = {one.routes: one.replies for one in load.replies}
    # Of what was sent, only what was under way at the end has no reply.
    assert 0 <= sum(load.sent.values()) - load.requests <= 8
    assert by_route[("item",)] <= load.sent["item"]
    assert by_route[("missing",)] <= load.sent["missing"]


@pytest.mark.parametrize("style", STYLES)
def test_a_constant_request_is_counted_by_status_for_a_server_of_any_style(style: Style) -> None:
    load, warnings = tried(Traffic((HEALTH,)), shop, style=style)
    assert (warnings, load.sent, load.replies_wrong) == ({}, {}, 0)
    assert load.replies == (RouteReplies(200, ("health",), load.requests),)


def test_a_server_that_answers_404_to_everything_under_load_is_found() -> None:
    load, warnings = tried(MIX, shop, lambda _: (404, "no such item"))
    assert load.replies_wrong == 0
    assert load.statuses == {"404": load.requests}
    invalid, said = warnings[Code.MISPLACED_REPLIES]
    assert invalid
    assert "replies answered another request: missing was requested" in said
    assert audit.answers.unassigned(load.sent, load.replies)[0] == pytest.approx(0.9 * load.requests, rel=0.05)


def test_a_server_that_answers_every_request_with_one_routes_body_is_found() -> None:
    load, warnings = tried(MIX, shop, lambda _: shop(Request("GET", "/item", "")))
    assert load.replies == (RouteReplies(200, ("item",), load.requests),)
    assert warnings[Code.MISPLACED_REPLIES][0]


def test_a_server_that_answers_one_route_rightly_only_half_of_the_time_is_found() -> None:
    turns = itertools.count()

    def half(request: Request) -> tuple[int, str]:
        wrong = request.path == "/missing" and next(turns) % 2
        return shop(Request("GET", "/item", "")) if wrong else shop(request)

    load, warnings = tried(MIX, shop, half)
    assert warnings[Code.MISPLACED_REPLIES][0]
    lost = sum(load.sent.values()) - load.requests
    (wrong,) = (count for count in audit.answers.unassigned(load.sent, load.replies) if count)
    assert load.sent["missing"] / 2 - 2 * lost - 1 <= wrong <= load.sent["missing"] / 2 + 1


def test_steps_that_get_each_others_answer_are_found() -> None:
    steps = Traffic((route("one", body="1"), route("two", body="2"), route("one", body="1")))
    load, warnings = tried(steps, lambda request: (200, {"/one": "1", "/two": "2"}[request.path]))
    assert warnings == {}
    assert load.sent["one"] == pytest.approx(2 * load.sent["two"], abs=6)
    _, warnings = tried(steps, lambda request: (200, {"/one": "1", "/two": "2"}[request.path]), lambda _: (200, "1"))
    assert warnings[Code.MISPLACED_REPLIES][0]


def test_replies_that_fit_several_routes_are_told() -> None:
    load, warnings = tried(Traffic((route("a"), route("b"), route("c", status=404)), (1, 1, 1)), lambda request: (
        404 if request.path == "/c" else 200, "ok"
    ))  # fmt: skip
    invalid, said = warnings[Code.PARTLY_CHECKED]
    (alike,) = (one.replies for one in load.replies if one.routes == ("a", "b"))
    assert not invalid
    assert said.startswith(f"{alike:,} of {load.requests:,} replies fit several routes alike: a and b. ")
    assert Code.MISPLACED_REPLIES not in warnings


def test_replies_without_headers_are_told_because_wrk_does_not_show_them() -> None:
    async def bare(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    with serving(bare) as port:
        load = run_wrk(Traffic((route(status=204, body=""),)), port)
    assert load.requests > load.replies_checked == 0
    (warning,) = (one for one in audit.warnings(a_cell(load=load), a_run()) if one.code in CODES)
    assert warning.invalid
    assert sentence(warning).startswith(
        f"{load.requests:,} of {load.requests:,} replies were not checked: they have no headers"
    )


def test_a_scripts_own_requests_are_told_as_not_counted() -> None:
    own = user_script(
        "local n = 0\nfunction request() n = n + 1 return wrk.format('GET', n % 2 == 0 and '/item' or '/none') end"
    )
    load, warnings = tried(Traffic(MIX.routes, MIX.weights, own), shop)
    assert (load.replies_wrong, load.sent) == (0, {})
    invalid, said = warnings[Code.PARTLY_CHECKED]
    assert not invalid
    assert said.startswith("The row's script makes the requests, so that the replies of item and missing were not compared")


def test_a_reply_without_a_body_is_right_where_none_is_expected() -> None:
    load, warnings = tried(Traffic((route(method="DELETE", status=204, body=""),)), lambda _: (204, ""))
    assert (warnings, load.replies_wrong, load.replies[0].replies) == ({}, 0, load.requests)


def test_large_bodies_are_compared_whole() -> None:
    large = "größe" * 50_000
    wanted = Traffic((route(body=large),))
    load, warnings = tried(wanted, lambda _: (200, large))
    assert (warnings, load.replies_wrong) == ({}, 0)
    load, _ = tried(wanted, lambda _: (200, large), lambda _: (200, f"{large[:-1]}x"))
    assert load.replies_wrong == load.requests > 0


def test_a_status_that_no_route_expects_is_a_wrong_reply_and_counted() -> None:
    turns = itertools.count()
    load, _ = tried(MIX, shop, lambda request: (500, "") if next(turns) % 10 == 0 else shop(request))
    assert load.replies_wrong == load.statuses["500"] == pytest.approx(load.requests / 10, abs=2)
    assert load.wrong_example == "500 "


def test_a_longer_body_that_has_the_expected_text_is_wrong() -> None:
    load, _ = tried(Traffic((HEALTH,)), shop, lambda _: (200, "broken"))
    assert load.replies_wrong == load.requests > 0


def test_each_of_many_bodies_has_its_own_reply() -> None:
    bodies = tuple(f"body {number}" for number in range(3000))
    make = route("make", method="POST", bodies=bodies, replies=tuple(f"made {body}" for body in bodies))
    load, warnings = tried(Traffic((make,)), lambda request: (200, f"made {request.body}"))
    assert (load.replies_wrong, warnings) == (0, {})
    load, _ = tried(Traffic((make,)), lambda request: (200, f"made {request.body}"), lambda _: (200, "made body"))
    assert load.replies_wrong == load.requests > 0


@pytest.mark.parametrize("bodies", [("one", "two"), tuple(f"body {number}" for number in range(50))])
def test_a_reply_to_another_body_of_the_same_route_is_misplaced(bodies: tuple[str, ...]) -> None:
    echo = route("echo", method="POST", bodies=bodies, replies=tuple(f"made {body}" for body in bodies))
    first = f"made {bodies[0]}"
    load, warnings = tried(Traffic((echo,)), lambda request: (200, f"made {request.body}"), lambda _: (200, first))
    assert (load.replies_wrong, list(warnings)) == (0, [Code.MISPLACED_REPLIES])
    assert warnings[Code.MISPLACED_REPLIES][0]


def test_two_bodies_that_have_the_same_reply_are_one() -> None:
    echo = route("echo", method="POST", bodies=("a", "b", "c"), replies=("x", "x", "y"))
    load, warnings = tried(Traffic((echo,)), lambda request: (200, "y" if request.body == "c" else "x"))
    assert (load.replies_wrong, warnings) == (0, {})
    assert set(load.sent) == {"echo, replies 1 of 2", "echo, replies 2 of 2"}


def test_what_was_sent_is_expected_in_the_reply() -> None:
    numbers = itertools.count(1)
    order = route("order", method="POST", bodies=("a", "b"), status=201, contains="order ", capture={"id": "order (%d+)"})
    look = route("look", path="/orders/{id}", body="It is (100%) order {id}.")

    def answer(request: Request) -> tuple[int, str]:
        if request.method == "POST":
            return 201, f"order {next(numbers)}"
        return 200, f"It is (100%) order {request.path.rpartition('/')[2]}."

    load, warnings = tried(Traffic((order, look)), answer)
    assert (load.replies_wrong, warnings) == (0, {})
    load, _ = tried(Traffic((order, look)), answer, lambda request: answer(request) if request.body else (200, "It is."))
    assert load.replies_wrong == load.statuses["200"] > 0


# Before the load


@pytest.mark.parametrize("style", STYLES)
def test_a_correct_server_of_any_style_passes_in_two_segments(style: Style) -> None:
    echo = route("echo", method="POST", bodies=('{"a": 1}', '{"a": 2}'), contains='{"a": ')
    with serving(answering(lambda request: (200, request.body) if request.body else shop(request), style)) as port:
        assert verified(Traffic((ITEM, MISSING, echo)), port).checks.same == ()


SEGMENTS = "right when the request comes in one TCP segment, but wrong when it comes in two: "


@pytest.mark.parametrize(
    ("serve", "wanted", "told"),
    [
        (hasty, HEALTH, "the answer came after the first, before the request was complete: status 200 and 'ok'"),
        (one_read, HEALTH, "the answer came after the first, before the request was complete: status 400 and 'bad'"),
        (deaf, HEALTH, "no answer: timed out"),
        (half_body, route("echo", method="POST", bodies=("abcdef",), body="abcdef"), "the body is 'abc', not 'abcdef'"),
    ],
)
def test_a_server_that_reads_a_request_in_two_segments_wrongly_is_named(serve: Serve, wanted: Route, told: str) -> None:
    with serving(serve) as port, pytest.raises(WrongAnswerError) as caught:
        verified(Traffic((wanted,)), port)
    assert text_of(caught) == f"{wanted.title}: {SEGMENTS}{told}"


@pytest.mark.parametrize(("expect", "same"), [({"contains": "order"}, True), ({"json": {"order": 1}}, False)])
def test_a_canned_reply_to_two_different_bodies_is_told(expect: dict[str, Any], same: bool) -> None:
    order = route("order", method="POST", bodies=("lamp", "table"), **expect)
    _, warnings = tried(Traffic((order,)), lambda _: (200, '{"order": 1}'))
    if same:
        invalid, said = warnings[Code.SAME_REPLY]
        assert not invalid
        assert said.startswith("Different requests got the same reply: POST /order. ")
    else:
        assert warnings == {}


def test_a_server_that_gives_every_parameter_the_same_reply_is_found() -> None:
    numbers = itertools.count(1)
    order = route("order", method="POST", bodies=("a",), status=201, capture={"id": "(%d+)"})
    look = route("look", path="/orders/{id}", contains="order {id}.")

    def canned(request: Request) -> tuple[int, str]:
        return (201, str(next(numbers))) if request.method == "POST" else (200, "order 1.")

    with serving(answering(canned)) as port, pytest.raises(WrongAnswerError) as caught:
        verified(Traffic((order, look)), port)
    assert text_of(caught) == "GET /orders/2: the body is 'order 1.', without 'order 2.'"

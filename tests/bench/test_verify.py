"""Every route is requested once before a load, and its reply is held against what the route expects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchrig.agent.bench.protocol import Reply, Split
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.traffic import Route, Traffic
from benchrig.bench.verify import WrongAnswerError, difference, mistake, verify
from benchrig.results.model import Checks
from tests.support.wrk import route

CAPTURES = WRK.capabilities.captures
FILM = {"film_id": 995, "title": "Y", "tags": ["a", "b"], "seen": True}


class Service:
    """Answers as told, by path, and remembers what it was sent."""

    def __init__(self, **bodies: str) -> None:
        self.bodies = bodies
        self.sent: list[Route] = []
        self.splits: list[Split] = []

    def __call__(self, request: Route, split: Split) -> Reply:
        self.sent.append(request)
        self.splits.append(split)
        return Reply(200, self.bodies.get(request.name, ""))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (FILM, ""),
        ({"tags": ["a", "b"], "seen": True, "title": "Y", "film_id": 995.0}, ""),
        ({**FILM, "title": "X"}, "title is 'X', not 'Y'"),
        ({**FILM, "tags": ["a", "c"]}, "tags/1 is 'c', not 'b'"),
        ({**FILM, "tags": ["a"]}, "tags has 1 items, not 2"),
        ({**FILM, "tags": {}}, "tags is {}, not ['a', 'b']"),
        ({**FILM, "seen": 1}, "seen is 1, not True"),
        ({**FILM, "more": None}, "more should not be there"),
        ({"film_id": 995}, "title is missing"),
        ([], "the body is [], not {'film_id': 995, 'title': 'Y', 'tags': ['a', 'b'], 'seen': True}"),
    ],
)
def test_json_is_compared_by_what_it_says_and_the_first_difference_is_told(found: object, told: str) -> None:
    assert difference(FILM, json.loads(json.dumps(found))) == told


def test_a_difference_deep_inside_is_told_with_its_place() -> None:
    assert difference({"995": FILM}, {"995": {**FILM, "title": "X" * 500}}).startswith("995/title is 'XXX")
    assert len(difference({"995": FILM}, {"995": {**FILM, "title": "X" * 500}})) < 120


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(404, "Not Found"), "status 404 and 'Not Found', not 200"),
        (Reply(200, "no"), "the body is 'no', without 'film'"),
        (Reply(200, "film"), "the body is 'film', which is not JSON"),
        (Reply(200, json.dumps(FILM) + " " * (4 << 20), cut=True), "the body is longer than 4 MiB, and cannot be compared"),
        (Reply(200, json.dumps(FILM, indent=3)), ""),
    ],
)
def test_status_text_and_json_must_be_as_expected(reply: Reply, told: str) -> None:
    assert mistake(route(contains="film", json=FILM), reply) == told


def test_a_wrong_answer_names_its_request() -> None:
    with pytest.raises(WrongAnswerError, match=r"^GET /film: title is 'X', not 'Y'$"):
        verify(Traffic((route(json=FILM),)), Service(film=json.dumps({**FILM, "title": "X"})), CAPTURES)


def test_every_route_is_requested_in_two_segments_and_one_with_bodies_again_with_another() -> None:
    service = Service()
    one, two = route("one"), route("two", bodies=("first", "first", "second"))
    verify(Traffic((one, two, one)), service, CAPTURES)
    sent = [(request.name, request.bodies) for request in service.sent]
    assert sent == [("one", ()), ("two", ("first",)), ("two", ("second",))]
    assert service.splits == ["head", "head", "body"]


def test_exact_bodies_are_those_of_routes_with_json_all_of_whose_requests_were_made() -> None:
    service = Service(one='{"a" : 1}', two="[]", three="ok", four="[]")
    routes = (
        route("one", json={"a": 1}),
        route("two", json=[], bodies=("x", "y")),
        route("three", contains="ok"),
        route("four", json=[], bodies=("x", "y", "z")),
    )
    verified = verify(Traffic(routes, (1, 1, 1, 1)), service, CAPTURES)
    assert verified.answers == {"one": ('{"a" : 1}',), "two": ("[]", "[]")}
    assert verified.checks.under_load == {"one": "body", "two": "body", "three": "text", "four": "status"}
    assert verified.checks.partly == ("GET /four",)


def test_an_encoded_body_is_compared_before_the_load_and_only_its_status_under_it() -> None:
    def send(_: Route, __: Split) -> Reply:
        return Reply(200, "ok", encoding="gzip")

    verified = verify(Traffic((route(body="ok"),)), send, CAPTURES)
    assert verified.traffic.routes[0].body is None
    assert verified.checks == Checks({"film": "status"}, partly=("GET /film",))


def test_what_is_expected_can_have_what_was_sent() -> None:
    numbers = iter(range(1, 9))
    make = route("make", method="POST", bodies=("a", "b"), capture={"id": "(%d+)"}, contains='"id": ')
    use = route("use", path="/items/{id}", contains='"id": {id}, "at": {place}')

    def send(request: Route, _: Split) -> Reply:
        last = request.path.rpartition("/")[2] if request.name == "use" else str(next(numbers))
        return Reply(200, f'{{"id": {last}, "at": {{place}}}}')

    assert verify(Traffic((make, use)), send, CAPTURES).checks.same == ()

    def canned(request: Route, _: Split) -> Reply:
        return Reply(200, '{"id": 1, "at": {place}}' if request.name == "use" else f'"id": {next(numbers)}')

    numbers = iter(range(1, 9))
    with pytest.raises(WrongAnswerError, match=r"^GET /items/2: the body is .* without '\"id\": 2, "):
        verify(Traffic((make, use)), canned, CAPTURES)


@pytest.mark.parametrize(
    ("expected", "same"),
    [({"contains": "id"}, True), ({}, True), ({"body": '{"id": 1}'}, False), ({"json": {"id": 1}}, False)],
)
def test_one_reply_to_two_bodies_is_told_unless_it_is_expected_whole(expected: dict[str, Any], same: bool) -> None:
    routes = (route("make", bodies=("a", "b"), **expected), route("made", bodies=("a", "b"), status=200))
    checks = verify(Traffic(routes), Service(make='{"id": 1}'), CAPTURES).checks
    # The second route's replies are empty, as those to many a POST.
    assert checks.same == (("GET /make",) if same else ())


def test_each_body_can_have_a_reply_of_its_own() -> None:
    def send(request: Route, _: Split) -> Reply:
        return Reply(200, f"made {request.bodies[0]}")

    make = route("make", bodies=("a", "b", "c"), replies=("made a", "made b", "made c"))
    verified = verify(Traffic((make,)), send, CAPTURES)
    assert verified.answers == {"make": ("made a", "made b", "made c")}
    assert verified.checks == Checks({"make": "body"})
    with pytest.raises(WrongAnswerError, match=r"^GET /make: the body is 'made a', not 'made b'$"):
        verify(Traffic((make,)), Service(make="made a"), CAPTURES)


def test_replies_with_captured_values_are_compared_before_the_load_only() -> None:
    make = route("make", bodies=("{id} a", "{id} b"), replies=("made {id} a", "made {id} b"))
    login = route("login", capture={"id": "(%d+)"})

    def send(request: Route, _: Split) -> Reply:
        return Reply(200, "7" if request.name == "login" else f"made {request.bodies[0]}")

    verified = verify(Traffic((login, make)), send, CAPTURES)
    assert verified.answers == {}
    assert verified.checks.partly == ("GET /make",)


def test_one_reply_to_two_tokens_in_a_header_is_right() -> None:
    numbers = iter(range(9))

    def send(request: Route, _: Split) -> Reply:
        return Reply(200, f"token {next(numbers)}" if request.name == "login" else "[]")

    routes = (route("login", capture={"token": "(%d+)"}), route("items", headers={"X": "{token}"}, contains="["))
    assert verify(Traffic(routes), send, CAPTURES).checks.same == ()


def test_only_a_request_in_two_segments_that_is_answered_wrongly_is_told_as_that() -> None:
    def send(_: Route, split: Split) -> Reply:
        return Reply(error="timed out") if split else Reply(200, "ok")

    with pytest.raises(WrongAnswerError) as caught:
        verify(Traffic((route(body="ok"),)), send, CAPTURES)
    told = "right when the request comes in one TCP segment, but wrong when it comes in two: no answer: timed out"
    assert str(caught.value) == f"GET /film: {told}"


@pytest.mark.parametrize(
    ("expected", "found", "told"),
    [
        ("ok", "broken", "the body is 'broken', not 'ok'"),
        ("ok", "ok\n", "the body has more line breaks at its end: 'ok\\n', not 'ok'; 'body' is the whole body"),
        ("ok\n", "ok", "the body has fewer line breaks at its end: 'ok', not 'ok\\n'; 'body' is the whole body"),
        (
            "ok",
            "broken",
            "the body is 'broken', not 'ok'; if any text with 'ok' in it is right, write 'contains' in place of 'body'",
        ),
        ("", "ok", "the body is 'ok', not ''"),
        ("a" * 5000 + "b", "a" * 5000 + "c", "the body differs from character 5,001 on: 'c', not 'b'"),
        ("a" * 5000, "a" * 4000, "the body differs from character 4,001 on: '', not 'aaa"),
        ("", "", ""),
        ("größe", "größe", ""),
    ],
)
def test_a_text_is_compared_whole_and_the_first_difference_is_told(expected: str, found: str, told: str) -> None:
    wrong = mistake(route(body=expected), Reply(200, found))
    assert wrong.startswith(told)
    assert bool(wrong) == bool(told)


def test_a_body_in_an_encoding_that_cannot_be_read_is_told() -> None:
    reply = Reply(200, encoding="br", unread=True)
    told = "the body has the content encoding 'br', and cannot be compared; do not ask for it"
    assert [mistake(route(**expected), reply) for expected in ({"body": "x"}, {"json": 1}, {})] == [told, told, ""]


def test_what_a_reply_gives_is_put_into_the_requests_after_it() -> None:
    service = Service(make='{"id": 42, "key": "größe"}')
    make = route("make", capture={"id": '"id": (%d+)', "key": '"key": "([^"]*)"'})
    use = route("use", path="/items/{id}", headers={"X-Key": "{key} {other}"}, bodies=('{"id": {id}}',))
    verify(Traffic((make, use)), service, CAPTURES)
    used = service.sent[1]
    assert [request.name for request in service.sent] == ["make", "use"] * 2
    assert (used.path, used.headers, used.bodies) == ("/items/42", {"X-Key": "größe {other}"}, ('{"id": 42}',))


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("id=(%d+)", "GET /make: nothing matches the pattern 'id=(%d+)' of 'id' in 'nothing'"),
        ("(no", "GET /make: the capture 'id': '(no' is not a Lua pattern: unfinished capture"),
    ],
)
def test_a_capture_that_gets_nothing_is_told(pattern: str, told: str) -> None:
    with pytest.raises(WrongAnswerError) as caught:
        verify(Traffic((route("make", capture={"id": pattern}),)), Service(make="nothing"), CAPTURES)
    assert str(caught.value) == told

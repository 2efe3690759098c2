"""Every route is requested once before a load, and its reply is held against what the route expects."""

from __future__ import annotations

import json

import pytest

from benchrig.agent.bench.protocol import Reply
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.traffic import Route, Traffic
from benchrig.bench.verify import WrongAnswerError, difference, mistake, verify
from tests.support.wrk import route

CAPTURES = WRK.capabilities.captures
FILM = {"film_id": 995, "title": "Y", "tags": ["a", "b"], "seen": True}


class Service:
    """Answers as told, by path, and remembers what it was sent."""

    def __init__(self, **bodies: str) -> None:
        self.bodies = bodies
        self.sent: list[Route] = []

    def __call__(self, request: Route) -> Reply:
        self.sent.append(request)
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


def test_every_route_is_requested_once_with_the_first_of_its_bodies() -> None:
    service = Service()
    one, two = route("one"), route("two", bodies=("first", "second"))
    verify(Traffic((one, two, one)), service, CAPTURES)
    assert [(request.name, request.bodies) for request in service.sent] == [("one", ()), ("two", ("first",))]


def test_exact_bodies_are_those_of_routes_with_json_that_always_send_the_same() -> None:
    service = Service(one='{"a" : 1}', two="[]", three="ok")
    routes = (route("one", json={"a": 1}), route("two", json=[], bodies=("x", "y")), route("three", contains="ok"))
    assert verify(Traffic(routes, (1, 1, 1)), service, CAPTURES) == {"one": '{"a" : 1}'}


def test_what_a_reply_gives_is_put_into_the_requests_after_it() -> None:
    service = Service(make='{"id": 42, "key": "größe"}')
    make = route("make", capture={"id": '"id": (%d+)', "key": '"key": "([^"]*)"'})
    use = route("use", path="/items/{id}", headers={"X-Key": "{key} {other}"}, bodies=('{"id": {id}}',))
    verify(Traffic((make, use)), service, CAPTURES)
    used = service.sent[1]
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

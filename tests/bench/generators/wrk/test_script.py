"""wrk's script by itself, in LuaJIT: what one thread of wrk sends, which replies are right, and a user's script in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from lupa.luajit21 import LuaRuntime

from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.generators.wrk.script import check_script
from benchrig.bench.traffic import Traffic
from tests.support.wrk import route, user_script

FORMAT = b"""
wrk = {headers = {Host = "server"}}
function wrk.format(method, path, headers, body)
  local fields = {}
  for name, value in pairs(headers) do fields[#fields + 1] = name .. ": " .. value end
  table.sort(fields)
  return method .. " " .. path .. "\\n" .. table.concat(fields, "\\n") .. "\\n\\n" .. (body or wrk.body or "")
end
"""
ODD = "".join(map(chr, range(128))) + 'ä世界🎬"\\]]=]\r\n'


class Thread:
    """The script as one thread of wrk has it."""

    def __init__(self, traffic: Traffic, answers: Mapping[str, tuple[str, ...]] | None = None, number: int = 2) -> None:
        self.lua = LuaRuntime(encoding=None)
        self.lua.execute(FORMAT)
        self.lua.execute(WRK.script(traffic, answers or {}).encode())
        self.lua.globals()[b"benchrig_thread"] = number
        self.lua.globals()[b"init"](None)

    def __getitem__(self, name: str) -> Any:
        return self.lua.globals()[name.encode()]

    def send(self) -> str:
        return bytes(self["request"]()).decode()

    def send_many(self, count: int) -> list[str]:
        return [self.send().split(" ")[1].split("\n")[0] for _ in range(count)]

    def receive(self, body: str, status: int = 200) -> bool:
        """Hand it a reply, and return whether it was right."""
        before = self["benchrig_wrong"]
        self["response"](status, None, body.encode())
        return bool(self["benchrig_wrong"] == before)


# What is sent


def test_one_request_that_never_changes_stays_wrks_own_constant_one() -> None:
    thread = Thread(Traffic((route(method="POST", path="/reviews/", headers={"A": ODD}, bodies=(ODD,)),)))
    assert thread["request"] is None
    wrk = thread["wrk"]
    assert (wrk[b"method"], wrk[b"path"], wrk[b"body"]) == (b"POST", b"/reviews/", ODD.encode())
    assert dict(wrk[b"headers"].items()) == {b"Host": b"server", b"A": ODD.encode()}


def test_bodies_of_any_bytes_are_sent_in_turn() -> None:
    bodies = (ODD, "{}", "a\0b")
    thread = Thread(Traffic((route(method="POST", bodies=bodies),)), number=1)
    sent = [thread.send().split("\n\n", 1)[1] for _ in range(7)]
    # The first is the one that wrk only parses.
    assert sent == [ODD, *bodies, *bodies]


def test_more_bodies_than_a_lua_function_has_constants_are_sent() -> None:
    bodies = tuple(map(str, range(70_000)))
    thread = Thread(Traffic((route(method="POST", bodies=bodies),)), number=1)
    assert [thread.send() for _ in range(70_001)][-1].endswith("\n\n69999")


def test_a_mix_holds_its_weights_in_every_round_and_has_no_rhythm() -> None:
    thread = Thread(Traffic((route("a"), route("b"), route("c")), (12, 4, 2)))
    sent = thread.send_many(1800)
    offset = next(
        start for start in range(9) if all(Counter(r) == {"/a": 6, "/b": 2, "/c": 1} for r in rounds(sent[start:], 9))
    )
    assert offset >= 0
    assert len({tuple(one) for one in rounds(sent, 9)}) > 20


def rounds(sent: list[str], length: int) -> Iterator[list[str]]:
    return (sent[start : start + length] for start in range(0, len(sent) - length + 1, length))


def test_the_order_of_a_mix_is_the_same_every_time_and_threads_begin_at_other_places_in_it() -> None:
    mix = Traffic((route("a"), route("b")), (3, 1))
    again, other = (Thread(mix, number=number).send_many(50) for number in (2, 3))
    assert Thread(mix).send_many(50) == again != other


def test_steps_are_taken_in_their_order_also_when_one_comes_twice() -> None:
    a, b = route("a"), route("b")
    assert Thread(Traffic((a, b, a))).send_many(7) == ["/a", "/b", "/a", "/a", "/b", "/a", "/a"]


def test_a_step_that_needs_what_is_not_captured_yet_is_replaced_by_the_one_that_captures_it() -> None:
    login = route("login", capture={"token": '"token": "(%w+)"'})
    item = route("item", "/item/{token}", headers={"X-Token": "{token}"}, bodies=('{"t": "{token}", "o": {other}}',))
    thread = Thread(Traffic((login, item)))
    assert thread.send_many(3) == ["/login", "/login", "/login"]
    thread.receive('{"token": "T1"}')
    assert thread.send() == 'GET /item/T1\nHost: server\nX-Token: T1\n\n{"t": "T1", "o": {other}}'
    thread.receive('{"token": "T2"}')
    assert thread.send_many(2) == ["/login", "/item/T2"]


def test_captures_that_need_each_other_are_made_one_after_the_other() -> None:
    first = route("first", capture={"a": "a=(%d+)"})
    second = route("second", "/second/{a}", capture={"b": "b=(%d+)"})
    third = route("third", "/third/{b}")
    thread = Thread(Traffic((third, second, first, second, third)))
    # What stands before anything captures it is text like any other.
    assert thread.send_many(3) == ["/third/{b}", "/second/{a}", "/first"]
    thread = Thread(Traffic((first, second, third), (1, 1, 1)))
    assert set(thread.send_many(9)) == {"/first"}
    thread.receive("a=1")
    assert set(thread.send_many(9)) == {"/second/1"}
    thread.receive("b=2")
    assert set(thread.send_many(9)) == {"/first", "/second/1", "/third/2"}


def test_the_host_of_a_route_replaces_wrks_and_the_length_is_left_to_wrk() -> None:
    headers = {"host": "films.example", "content-length": "7"}
    thread = Thread(Traffic((route("a", headers=headers, bodies=("x",)), route("b"))))
    assert thread.send() == "GET /a\nHost: films.example\n\nx"
    assert thread.send() == "GET /b\nHost: server\n\n"


# What must come back


def test_a_reply_needs_the_status_and_the_text() -> None:
    thread = Thread(Traffic((route(status=201, contains='%d"ä'),)))
    assert thread.receive('<%d"ä>', 201)
    assert not thread.receive('<%d"ä>', 200)
    assert not thread.receive("no", 201)
    assert thread["benchrig_example"] == '200 <%d"ä>'.encode()


def test_an_exact_answer_must_be_the_whole_body() -> None:
    thread = Thread(Traffic((route(),)), {"film": (ODD,)})
    assert thread.receive(ODD)
    assert not thread.receive(ODD + " ")
    assert not thread.receive(ODD, 500)


def test_of_several_routes_a_reply_is_right_when_it_fits_any() -> None:
    routes = (route("exact"), route("made", status=201), route("gone", status=404, contains="no"))
    thread = Thread(Traffic(routes, (1, 1, 1)), {"exact": ("[]",)})
    assert [thread.receive(*reply) for reply in [("[]", 200), ("x", 201), ("is not", 404)]] == [True] * 3
    assert [thread.receive(*reply) for reply in [("[1]", 200), ("[]", 404)]] == [False] * 2


# A user's script


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("wrk.method = 'POST'\nlocal x <", "configs/suites/mine.lua:2: unexpected symbol near '<'"),
        ("wrk.headers['A'] = \"b\n", "configs/suites/mine.lua:1: unfinished string near '\"b'"),
        ("goto nowhere", "configs/suites/mine.lua:1: undefined label 'nowhere'"),
        ("error('it is not run')", ""),
        ("#!/usr/bin/env wrk\nlocal big = 1ULL return big", ""),
    ],
)
def test_a_script_that_does_not_compile_is_told_with_its_line(text: str, wrong: str) -> None:
    assert check_script(user_script(text)) == wrong


def test_what_a_script_sets_in_wrk_holds_for_a_constant_request() -> None:
    text = "wrk.method = 'POST' wrk.body = ']]=] x' wrk.headers['A'] = 'mine' return"
    wrk = Thread(Traffic((route(headers={"A": "ours"}),), script=user_script(text)))["wrk"]
    assert (wrk[b"method"], wrk[b"body"], wrk[b"headers"][b"A"], wrk[b"path"]) == (b"POST", b"]]=] x", b"mine", b"/film")


def test_of_several_requests_only_the_headers_are_the_scripts() -> None:
    text = "wrk.method = 'PUT' wrk.body = 'mine' wrk.headers['A'] = 'mine' wrk.headers['B'] = 'mine'"
    thread = Thread(Traffic((route("a", headers={"B": "ours"}), route("b")), script=user_script(text)))
    assert thread.send() == "GET /a\nA: mine\nB: ours\nHost: server\n\n"
    assert thread.send() == "GET /b\nA: mine\nB: mine\nHost: server\n\n"


@pytest.mark.parametrize(
    "text", ["function request() return 'mine' end", "function init() request = function() return 'mine' end end"]
)
def test_a_scripts_own_request_is_the_one_that_is_sent(text: str) -> None:
    assert Thread(Traffic((route("a"), route("b")), script=user_script(text))).send() == "mine"

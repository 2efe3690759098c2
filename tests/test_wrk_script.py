"""wrk's script: what it makes wrk send and count, in LuaJIT by itself and in the real wrk against a server that records."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lupa.luajit21 import LuaRuntime

from benchrig.bench.generators import WRK, Shape
from benchrig.bench.traffic import Route, Script, Traffic
from benchrig.results.model import Load

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


def route(name: str = "film", path: str = "", **values: Any) -> Route:
    blank: dict[str, Any] = {
        "method": "GET",
        "headers": {},
        "bodies": (),
        "status": 200,
        "contains": "",
        "json": None,
        "stores": "",
        "capture": {},
    }
    return Route(name=name, path=path or f"/{name}", **{**blank, **values})


def user_script(text: str) -> Script:
    return Script(Path("configs/suites/mine.lua"), text)


class Thread:
    """The script as one thread of wrk has it."""

    def __init__(self, traffic: Traffic, answers: Mapping[str, str] | None = None, number: int = 2) -> None:
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
    thread = Thread(Traffic((route(),)), {"film": ODD})
    assert thread.receive(ODD)
    assert not thread.receive(ODD + " ")
    assert not thread.receive(ODD, 500)


def test_of_several_routes_a_reply_is_right_when_it_fits_any() -> None:
    routes = (route("exact"), route("made", status=201), route("gone", status=404, contains="no"))
    thread = Thread(Traffic(routes, (1, 1, 1)), {"exact": "[]"})
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
    assert WRK.check_script(user_script(text)) == wrong


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


# The real wrk


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass
class Recorder:
    """A server on loopback that keeps what it is sent, and answers as it is told."""

    answer: Callable[[Request], tuple[int, str]] = lambda _: (200, "ok")
    requests: list[Request] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def server() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            request = Request(self.command, self.path, dict(self.headers.items()), body)
            recorder.requests.append(request)
            status, text = recorder.answer(request)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.handle_error = lambda *_: None  # type: ignore[method-assign]  # wrk drops its connections at the end
    recorder.port = httpd.server_port
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield recorder
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@dataclass(frozen=True)
class Wrk:
    """Runs the real wrk for a second."""

    server: Recorder
    folder: Path

    def run(
        self, traffic: Traffic, answers: Mapping[str, str] | None = None, threads: int = 1
    ) -> subprocess.CompletedProcess[str]:
        script = self.folder / "script.lua"
        script.write_text(WRK.script(traffic, answers or {}))
        url = f"http://127.0.0.1:{self.server.port}{traffic.routes[0].path}"
        command = WRK.command(Shape(threads, 2 * threads, 1.0, None), url)
        argv = [word.replace("{script}", str(script)) for word in command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)

    def load(self, traffic: Traffic, answers: Mapping[str, str] | None = None, threads: int = 1) -> Load:
        done = self.run(traffic, answers, threads)
        assert (done.returncode, done.stderr) == (0, "")
        return WRK.read_load(done.stdout)


@pytest.fixture
def wrk(server: Recorder, tmp_path: Path) -> Wrk:
    if not shutil.which("wrk"):
        pytest.skip("needs wrk")
    return Wrk(server, tmp_path)


def test_wrk_posts_a_body_with_its_type_and_checks_every_reply(wrk: Wrk, server: Recorder) -> None:
    review = '{"film_id": 995, "note": "世界"}'
    server.answer = lambda request: (201, request.body)
    load = wrk.load(
        Traffic((route(method="POST", headers={"Content-Type": "application/json"}, bodies=(review,), status=201),)),
        {"film": review},
    )
    assert load.replies_checked == load.requests > 50
    assert load.replies_wrong == 0
    assert {(r.method, r.path, r.body, r.headers["Content-Type"]) for r in server.requests} == {
        ("POST", "/film", review, "application/json")
    }


def test_wrk_counts_wrong_replies_and_shows_one_as_it_was(wrk: Wrk, server: Recorder) -> None:
    server.answer = lambda _: (200, 'no "世界"')
    load = wrk.load(Traffic((route(contains="yes"),)))
    assert load.replies_wrong == load.replies_checked > 0
    assert load.wrong_example == '200 no "世界"'


def test_wrk_sends_a_mix_in_proportion_and_its_bodies_in_turn(wrk: Wrk, server: Recorder) -> None:
    bodies = tuple(f"body {number}" for number in range(7))
    wrk.load(Traffic((route("get"), route("post", method="POST", bodies=bodies)), (3, 1)), threads=2)
    counts = Counter(request.path for request in server.requests)
    # Each of the two threads is within one round of 4 at each end.
    assert counts["/post"] == pytest.approx(len(server.requests) / 4, abs=4)
    assert all(
        request.body == "" and "Content-Length" not in request.headers
        for request in server.requests
        if request.path == "/get"
    )
    sent = Counter(request.body for request in server.requests if request.path == "/post")
    assert set(sent) == set(bodies)
    assert max(sent.values()) - min(sent.values()) <= 2


def test_wrk_takes_steps_with_a_token_that_it_was_given(wrk: Wrk, server: Recorder) -> None:
    numbers = itertools.count(1)
    valid: set[str] = set()

    def answer(request: Request) -> tuple[int, str]:
        if request.path == "/login":
            valid.add(token := f"t{next(numbers)}")
            return 200, f'{{"token": "{token}"}}'
        return (200, "[]") if request.headers.get("Authorization", "").removeprefix("Bearer ") in valid else (401, "who?")

    server.answer = answer
    login = route("login", method="POST", bodies=("{}",), capture={"token": '"token": "([^"]+)"'})
    items = route("items", headers={"Authorization": "Bearer {token}"}, contains="[]")
    load = wrk.load(Traffic((login, items)), threads=2)
    assert load.replies_wrong == load.errors.status == 0
    counts = Counter(request.path for request in server.requests)
    assert counts["/items"] == pytest.approx(counts["/login"], abs=6)


def test_a_capture_that_never_matches_is_told(wrk: Wrk) -> None:
    done = wrk.run(Traffic((route("login", capture={"token": "token=(%d+)"}), route("item", "/{token}"))))
    assert done.stderr == "no reply had what a later request needs, by the pattern of its capture: token\n"


USERS = """
local threads, count = {}, 0
sum = 0
wrk.method = "DELETE"
function setup(thread) threads[#threads + 1] = thread; thread:set("name", #threads) end
function init(args) wrk.headers["X-Thread"] = "thread " .. name end
function response(status, headers, body) sum = sum + status end
function done(summary)
  for _, thread in ipairs(threads) do count = count + thread:get("sum") end
  print("theirs: " .. count)
end
"""


def test_every_hook_of_a_users_script_is_called_beside_ours(wrk: Wrk, server: Recorder) -> None:
    done = wrk.run(Traffic((route(),), script=user_script(USERS)), {"film": "ok"}, threads=2)
    load = WRK.read_load(done.stdout)
    theirs = re.search(r"^theirs: (\d+)$", done.stdout, re.MULTILINE)
    assert theirs
    assert int(theirs[1]) == 200 * load.replies_checked > 0
    assert load.replies_wrong == 0
    assert {(r.method, r.headers["X-Thread"]) for r in server.requests} == {("DELETE", "thread 1"), ("DELETE", "thread 2")}


@pytest.mark.parametrize(
    "text",
    [
        "\nerror({} .. 1)",
        "function init()\n local x = nil + 1 end",
        "function request()\n return nil .. 'x' end",
        "function response()\n wrk.nothing.there = 1 end",
        "function done()\n undefined() end",
    ],
)
def test_an_error_in_a_users_script_ends_wrk_with_its_file_and_line(wrk: Wrk, text: str) -> None:
    done = wrk.run(Traffic((route(),), script=user_script(text)))
    assert done.returncode == 1
    assert "mine.lua:2: attempt to " in done.stderr

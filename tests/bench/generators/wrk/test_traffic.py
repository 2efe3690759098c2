"""The real wrk with its script, for a second at a time, against a server on loopback that keeps what it is sent."""

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

import pytest

from benchrig.bench.generators.base import Shape
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.traffic import Traffic
from benchrig.results.model import Load
from tests.support.wrk import route, user_script


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
        self, traffic: Traffic, answers: Mapping[str, tuple[str, ...]] | None = None, threads: int = 1
    ) -> subprocess.CompletedProcess[str]:
        script = self.folder / "script.lua"
        script.write_text(WRK.script(traffic, answers or {}))
        url = f"http://127.0.0.1:{self.server.port}{traffic.routes[0].path}"
        command = WRK.command(Shape(threads, 2 * threads, 1.0, None), url)
        argv = [word.replace("{script}", str(script)) for word in command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)

    def load(self, traffic: Traffic, answers: Mapping[str, tuple[str, ...]] | None = None, threads: int = 1) -> Load:
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
        {"film": (review,)},
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
    done = wrk.run(Traffic((route(),), script=user_script(USERS)), {"film": ("ok",)}, threads=2)
    load = WRK.read_load(done.stdout)
    theirs = re.search(r"^theirs: (\d+)$", done.stdout, re.MULTILINE)
    assert theirs
    assert int(theirs[1]) == 200 * load.replies_checked > 0
    assert load.replies_wrong == 0
    assert not load.pauses
    assert {(r.method, r.headers["X-Thread"]) for r in server.requests} == {("DELETE", "thread 1"), ("DELETE", "thread 2")}


@pytest.mark.parametrize("text", ["function delay() return 5 end", "local five = function() return 5 end\ndelay = five"])
def test_a_delay_of_a_users_script_is_told_with_the_figures(wrk: Wrk, text: str) -> None:
    assert wrk.load(Traffic((route(),), script=user_script(text)), {"film": ("ok",)}).pauses


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


PIPELINE = """
function request()
  local one = wrk.format("POST", "/film", {["Content-Type"] = "text/plain"}, "a\\r\\n\\r\\nb")
  return one .. wrk.format("GET", "/film") .. one
end
"""


def test_wrk_says_how_many_requests_a_script_sends_at_once(wrk: Wrk, server: Recorder) -> None:
    load = wrk.load(Traffic((route(),), script=user_script(PIPELINE)), threads=2)
    assert load.depth == 3
    assert load.replies_checked > 10
    assert {request.method for request in server.requests} == {"GET", "POST"}
    assert wrk.load(Traffic((route(),))).depth == 1

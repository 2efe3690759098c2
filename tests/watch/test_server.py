"""The page that shows a bench: for this computer's browsers alone, by a token, and without a request to anywhere else."""

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from benchrig.results.running import Finished
from benchrig.watch import server
from benchrig.watch.server import Served
from benchrig.watch.view import view
from tests.support.running import STATE
from tests.support.waiting import until


@pytest.fixture
def served() -> Iterator[Served]:
    """Yield a page that shows a bench."""
    with Served() as page:
        page.show(view(STATE))
        yield page


def ask(
    served: Served, path: str | None = None, host: str | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """Ask for a path, of the page itself by default."""
    at = urlsplit(served.address)
    assert at.port
    with closing(http.client.HTTPConnection("127.0.0.1", at.port, timeout=5)) as connection:
        connection.putrequest(method, at.path if path is None else path, skip_host=True)
        connection.putheader("Host", f"127.0.0.1:{at.port}" if host is None else host)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_the_page_and_the_state_are_at_an_address_with_a_token(served: Served) -> None:
    at = urlsplit(served.address)
    assert at.hostname == "127.0.0.1"
    assert len(at.path.strip("/")) >= 40
    status, headers, body = ask(served)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<script>" in body
    status, headers, body = ask(served, f"{at.path}state")
    assert (status, headers["content-type"]) == (200, "application/json")
    shown = json.loads(body)
    assert (shown["now"], shown["rate"]) == ("go-2000  2/4  measuring 10 s", "about 19,190 requests/s")
    assert shown["finished"][0]["text"] == "sanic  1/4  18,000 requests/s"


@pytest.mark.parametrize("begun", [b"GET / HT", b"GET /state HTTP/1.1\r\n\r\n"])
def test_a_client_that_breaks_off_leaves_no_trace(served: Served, begun: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    port = urlsplit(served.address).port or 0
    threads = threading.active_count()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as client:
            # Closed with a reset, as by a browser that was ended.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(begun)
    assert ask(served)[0] == 200
    until(lambda: threading.active_count() <= threads)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("path", ["/", "/state", "/x/", "/x/state", "//", "/%2e%2e/", "/?", "", "/page.js"])
def test_without_the_token_there_is_nothing(served: Served, path: str) -> None:
    status, _, body = ask(served, path or "x")
    assert status == 404
    assert STATE.suite.encode() not in body


def test_with_the_token_there_is_the_page_and_the_state_and_nothing_else(served: Served) -> None:
    path = urlsplit(served.address).path
    for wrong in (path[:-1] + "x/", f"{path}x", f"{path}../", f"{path}state/", f"{path}state?x", path.upper()):
        assert ask(served, wrong)[0] == 404


def test_a_token_is_not_guessed_from_another() -> None:
    with Served() as one, Served() as other:
        paths = [urlsplit(page.address).path for page in (one, other)]
        assert paths[0] != paths[1]
        assert ask(one, paths[1])[0] == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "", "127.0.0.1.evil.example:{port}"]
)
def test_a_name_that_was_made_to_mean_this_computer_is_refused(served: Served, host: str) -> None:
    status, _, body = ask(served, host=host.format(port=urlsplit(served.address).port))
    assert status == 403
    assert b"<script>" not in body


def test_localhost_is_this_computer_too(served: Served) -> None:
    assert ask(served, host=f"LOCALHOST:{urlsplit(served.address).port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_only_get_is_answered(served: Served, method: str) -> None:
    status, headers, _ = ask(served, method=method)
    assert status == 501
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert not any(name.startswith("access-control") for name in headers)


def test_nothing_is_cached_framed_or_loaded_from_elsewhere(served: Served) -> None:
    _, headers, body = ask(served)
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not any(name.startswith("access-control") for name in headers)
    page = body.decode()
    assert not re.search(r"\b(?:src|href)=\"(?!data:,)", page)
    assert not re.search(r"\son\w+=|javascript:|innerHTML|outerHTML|document\.write|eval\(", page)
    assert "https://" not in page


def test_it_listens_on_the_loopback_alone(served: Served) -> None:
    port = urlsplit(served.address).port
    mine = socket.gethostbyname(socket.gethostname())
    if mine.startswith("127."):
        assert served.address.startswith("http://127.0.0.1:")
        return
    with pytest.raises(OSError, match=r"."):
        socket.create_connection((mine, port), timeout=2)


def test_names_are_data_and_never_part_of_the_page(served: Served) -> None:
    bad = '<img src=x onerror=alert(1)>"&\u2028</script>'
    served.show(view(replace(STATE, title=bad, suite=bad, finished=(Finished(bad, "1/1", "failed", bad, number=1),))))
    page = ask(served)[2]
    assert b"onerror" not in page
    shown = json.loads(ask(served, f"{urlsplit(served.address).path}state")[2])
    assert shown["finished"][0]["text"].startswith("<img src=x onerror=alert(1)>")


def test_the_outcome_is_waited_for_until_a_browser_has_it(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LAST_SECONDS", 0.1)
    served.show(view(replace(STATE, ended="every row was measured")))
    served.await_last()
    monkeypatch.setattr(server, "LAST_SECONDS", 60.0)
    ask(served, f"{urlsplit(served.address).path}state")
    served.await_last()

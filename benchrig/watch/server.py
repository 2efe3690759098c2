"""A page about a bench that runs, served to browsers of this computer alone.

It listens on 127.0.0.1, on a port that the kernel chooses. Another user of the computer, or a page of another site, does not
know the token in its address; a name that was made to mean 127.0.0.1 (DNS rebinding) is refused by the Host header.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import threading
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchrig.watch.view import View

FOLDER = Path(__file__).parent

IDLE_SECONDS = 10.0
"""How long a browser may take to send a request."""

STEP_SECONDS = 0.05
"""How soon it ends."""

LAST_SECONDS = 5.0
"""How long the page is served after the bench has ended, if no browser has asked for its outcome."""


class Served:
    """The page while it is served."""

    def __init__(self) -> None:
        self._token = secrets.token_urlsafe(32)
        self._server = _Server(self._token)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(STEP_SECONDS,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """The page's address, with its token."""
        return f"http://127.0.0.1:{self._server.server_port}/{self._token}/"

    def show(self, seen: View) -> None:
        """Have the page show this from now on."""
        self._server.state = json.dumps(asdict(seen)).encode()
        self._server.is_last = bool(seen.ended)

    def await_last(self) -> None:
        """Wait until a browser has asked for the outcome, if one asks at all."""
        self._server.told.wait(LAST_SECONDS)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token.encode()
        self.state = b"{}"
        self.is_last = False
        self.told = threading.Event()
        self.page, self.policy = _page()
        self.hosts = {f"{name}:{self.server_port}".encode() for name in ("127.0.0.1", "localhost")}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has gone; what else went wrong is a fault of ours, and is told."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for the page and for the state; everything else is refused."""

    server: _Server
    timeout = IDLE_SECONDS
    server_version = "benchrig"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer a request."""
        host = self.headers.get("Host", "").lower().encode(errors="replace")
        if host not in self.server.hosts:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        token, _, name = self.path.removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(errors="replace"), self.server.token):
            self._refuse(HTTPStatus.NOT_FOUND)
        elif name == "":
            self._answer(self.server.page, "text/html; charset=utf-8")
        elif name == "state":
            is_last = self.server.is_last
            self._answer(self.server.state, "application/json")
            if is_last:
                self.server.told.set()
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def _answer(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status: HTTPStatus) -> None:
        self._answer(f"{status.phrase}\n".encode(), "text/plain; charset=utf-8", status)

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """Refuse what the standard library refuses, such as another method, with the same headers as everything else."""
        self._refuse(HTTPStatus(code))

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: each request would be a line."""


def _page() -> tuple[bytes, str]:
    """Return the page, and a policy that permits its own style and script alone."""
    style, script = ((FOLDER / f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    page = (FOLDER / "page.html").read_text(encoding="utf-8").replace("/*style*/", style).replace("/*script*/", script)
    rules = (
        "default-src 'none'",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return page.encode(), "; ".join(rules)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

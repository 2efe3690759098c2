"""Results on stdout: colours for a terminal alone, and no control characters of others."""

from __future__ import annotations

import io

import pytest

from benchrig import console
from benchrig.console import Span


class Terminal(io.StringIO):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, **environ: str) -> str:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", stream)
    console.result("go  \x1b[31m better\nsanic  worse", [Span(10, 16, "good"), Span(24, 29, "bad")])
    return stream.getvalue()


def test_a_pipe_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, io.StringIO()) == "go  \\x1b[31m better\nsanic  worse\n"


def test_a_terminal_gets_the_styles_of_the_parts_and_nothing_of_what_a_host_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, Terminal())
    assert "\x1b[32mbetter\x1b[0m" in text
    assert "\x1b[1;31mworse\x1b[0m" in text
    assert "\\x1b[31m" in text


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(monkeypatch, Terminal(), NO_COLOR="1")
    assert "\x1b[32m" not in text
    assert "31m" not in text.replace("\\x1b[31m", "")

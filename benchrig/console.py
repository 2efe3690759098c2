"""What the user sees while something runs: results on stdout, everything else on stderr.

On a terminal the current step is one live line with a spinner; elsewhere only permanent lines are written. Colour follows
the terminal and NO_COLOR (both through rich, which is imported only where there is a terminal).
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

_lock = threading.RLock()
_live: Status | None = None

STYLES = {
    "good": "green",
    "changed": "yellow",
    "bad": "bold red",
    "warning": "magenta",
    "faint": "dim",
    "heading": "bold",
    "": "",
}
"""Of rich, by what a text means."""

CONTROLS = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0x061C, 0x200B, 0x200E, 0x200F),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    *(0xFEFF, *range(0xFFF9, 0xFFFC)),
    *range(0xE0000, 0xE0080),
)
"""Characters that show nothing themselves, and move the cursor, colour a terminal, hide text or turn it around."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

_ESCAPES = {code: ascii(chr(code))[1:-1] for code in CONTROLS if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    """Return a text with each control character as its escape.

    Texts of hosts, such as a reply or a line of a journal, must not move the cursor, colour the terminal, or turn the text
    around.
    """
    # Hardly any text has one, and a translation of a large page takes ten times as long as this.
    return text if text.replace("\n", "").replace("\t", "").isprintable() else text.translate(_ESCAPES)


def is_terminal() -> bool:
    """Return whether progress goes to a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


@dataclass(frozen=True)
class Span:
    """A part of a text that a terminal shows in a style."""

    start: int
    end: int
    style: str
    """As of `line`, or `heading`."""


def result(text: str, spans: Sequence[Span] = ()) -> bool:
    """Print what was asked for, on stdout. Where its reader has ended nothing is printed, now or later: the work goes on.

    Returns whether there is a reader. `spans` do not overlap and are in order; only a terminal shows their styles. Raises
    OSError when it cannot be written.
    """
    status("")
    try:
        print(_styled(text, spans) if spans and _shows_styles() else printable(text), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    except OSError as error:
        error.filename = "standard output"
        raise
    return True


def _shows_styles() -> bool:
    """Say whether stdout is a terminal, of a user who has not asked for plain text (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _styled(text: str, spans: Sequence[Span]) -> str:
    """Return a text with the terminal's own marks for the styles of its parts."""
    from rich.console import Console
    from rich.text import Text

    styled, at = Text(), 0
    for span in spans:
        styled.append(printable(text[at : span.start]))
        styled.append(printable(text[span.start : span.end]), STYLES[span.style] or None)
        at = span.end
    styled.append(printable(text[at:]))
    terminal = Console(file=sys.stdout)
    with terminal.capture() as captured:
        terminal.print(styled, soft_wrap=True, end="")
    return captured.get()


def document(text: str) -> None:
    """Print JSON, as `result` does. What the encoding of stdout lacks, such as a dash in ASCII, is an escape of JSON's."""
    if "utf" not in (sys.stdout.encoding or "").lower():
        text = _BEYOND_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    result(text.rstrip("\n"))


def line(text: str, style: str = "") -> None:
    """Write one permanent line of progress; `style` is one of good, changed, bad, warning, faint."""
    text = printable(text)
    with _lock:
        if is_terminal():
            _rich().print(text, style=STYLES[style] or None, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Write a warning: something that did not stop us but that the user must know."""
    line(f"warning: {text}", "warning")


def status(text: str) -> None:
    """Show what is going on now, until the next call; "" clears it. Nothing is written where there is no terminal."""
    global _live
    if not is_terminal():
        return
    text = printable(text)
    with _lock:
        if not text:
            if _live is not None:
                _live.stop()
                _live = None
        elif _live is None:
            from rich.markup import escape

            # The dots are of Unicode alone.
            spinner = "dots" if "utf" in sys.stderr.encoding.lower() else "line"
            _live = _rich().status(escape(text), spinner=spinner)
            _live.start()
        else:
            from rich.markup import escape

            _live.update(escape(text))


@cache
def _rich() -> Console:
    from rich.console import Console

    return Console(stderr=True)

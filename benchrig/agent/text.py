"""Texts from outside, cut to what a message can show: the output of programs, values, names."""

from __future__ import annotations


def last_line(output: str | bytes) -> str:
    """Return the last line of a program's output that is not blank, where most programs give the reason of a failure."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    return text.strip().rpartition("\n")[2].strip()


def one_line(text: str, most: int = 1000) -> str:
    """Return a text in one line of at most `most` characters; a line break becomes a space."""
    if len(text) <= most and text.isprintable():
        return text
    return short(" ".join(text.splitlines()), most)


def short(text: str, most: int = 100) -> str:
    """Return a text of at most `most` characters, with a … in place of what is cut off."""
    return text if len(text) <= most else f"{text[:most].rstrip()}…"

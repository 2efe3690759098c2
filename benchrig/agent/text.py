"""Reading the output of programs."""

from __future__ import annotations


def last_line(output: str | bytes) -> str:
    """Return the last line of a program's output that is not blank, where most programs give the reason of a failure."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    return text.strip().rpartition("\n")[2].strip()

"""Draws standard input as an SVG picture on standard output: `./inv report | .venv/bin/python docs/images/make.py`."""

from __future__ import annotations

import io
import re
import sys

from rich.console import Console
from rich.text import Text


def picture(text: str, title: str) -> str:
    """Return an SVG of a terminal window that shows `text`. It loads nothing from the network."""
    lines = text.rstrip("\n").split("\n")
    console = Console(record=True, width=max(map(len, lines)) + 2, file=io.StringIO())
    for line in lines:
        console.print(Text(line), soft_wrap=True)
    svg = console.export_svg(title=title, font_aspect_ratio=0.6)
    # rich names a web font; the viewer's own monospace font does.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "Menlo, Consolas, DejaVu Sans Mono")
    # Without this, some viewers drop the spaces that a line begins with.
    svg = re.sub(r"<!-- Generated.*?-->", "", svg).replace("<svg ", '<svg xml:space="preserve" ', 1)
    return "\n".join(line.rstrip() for line in svg.split("\n")) + "\n"


if __name__ == "__main__":
    sys.stdout.write(picture(sys.stdin.read(), "./inv report"))

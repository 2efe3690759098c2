"""The frame of all pages: one file with its rules in it, filled from a template, and without anything to fetch."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from benchrig.console import printable
from benchrig.language import in_use, say, say_count
from benchrig.report.charts import svg

if TYPE_CHECKING:
    from jinja2 import Environment

RULES = ("page.css", "summary.css", "table.css")
"""The rules of every page, before those of `print.css`."""


def filled(template: str, style: str, **values: object) -> str:
    """Return a template of this folder, filled; `style` has the rules of the page. All texts in it are escaped."""
    shared = {"anchor": anchor, "language": in_use(), "say": say, "say_count": say_count}
    return printable(_environment().get_template(template).render(**shared, style=Markup(style), **values))


def anchor(name: str) -> str:
    """Return a name as the id of an element: of letters, digits and hyphens alone, whatever the name has."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "part"


@cache
def style(*more: str) -> str:
    """Return the rules of every page with those of further files."""
    return "\n".join([*map(file, (*RULES, *more, "print.css")), svg.style()])


def file(name: str) -> str:
    """Return the text of a file beside this one."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    # Only a page needs it: a table on the terminal does without.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""docs/reliability.md has every fault that the tests cause, and each of its cells says something."""

from __future__ import annotations

import re

import pytest

from tests.support import ROOT
from tests.support.faults import Fault, faults, page

LONGEST = 400
"""Characters of a column: a row is read at a glance."""

NAMES = re.compile("Ctrl-C|PostgreSQL|ProxyCommand|NoNewPrivs|Python|Debian|Vagrant")
"""Words that a text begins with as they are written."""

PLACEHOLDER = re.compile(r"\b(SEEN|DONE|PROMISED|TODO|TBD|FIXME|XXX)\d*\b|\?\?\?")


def test_the_page_is_written_from_the_tests() -> None:
    made = ".venv-dev/bin/python -m tests.support.faults > docs/reliability.md"
    assert (ROOT / "docs/reliability.md").read_text(encoding="utf-8") == page(), f"write it anew: {made}"


@pytest.mark.parametrize("one", [pytest.param(one, id=name) for _, name, one in faults()])
def test_every_column_says_something_in_one_style(one: Fault) -> None:
    for column, text in (("done", one.done), ("promised", one.promised), ("seen", one.seen)):
        assert text.strip(), f"{column} is empty"
        assert not PLACEHOLDER.search(text), f"{column} is to be written: {text}"
        assert len(text) <= LONGEST, f"{column} has {len(text)} characters: {text}"
        assert not re.search("[\n|]", text), f"{column} has what ends a cell of a table: {text}"
        assert not text.endswith("."), f"{column} is no sentence, and ends without a full stop: {text}"
        assert NAMES.match(text) or not re.match("[A-Z]([a-z]| )", text), f"{column} begins with a small letter: {text}"

"""docs/reliability.md has every fault that the tests cause."""

from __future__ import annotations

from tests.support import ROOT
from tests.support.faults import page


def test_the_page_is_written_from_the_tests() -> None:
    made = ".venv-dev/bin/python -m tests.support.faults > docs/reliability.md"
    assert (ROOT / "docs/reliability.md").read_text(encoding="utf-8") == page(), f"write it anew: {made}"

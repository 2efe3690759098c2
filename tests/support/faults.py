"""Faults that tests cause for real: each is a row of docs/reliability.md, which is written from them.

.venv-dev/bin/python -m tests.support.faults > docs/reliability.md
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import pytest

from tests.support import ROOT

F = TypeVar("F", bound=Callable[..., Any])

Section = Literal[
    "Apps and units",
    "Agents, cells and Ctrl-C",
    "Connections",
    "Provisioning",
    "Results and resuming",
    "Machines and images",
    "Input",
    "Output and text from outside",
    "Causes",
    "Load and time",
]
"""The sections of docs/reliability.md, in their order."""

FOLDER = ROOT / "tests" / "faults"
INTRODUCTION = FOLDER / "introduction.md"


@dataclass(frozen=True)
class Fault:
    """A fault, as a row of the page: what was done, what benchrig promises then, and what was seen when it was done."""

    section: Section
    done: str
    promised: str
    seen: str


def fault(section: Section, *, done: str, promised: str, seen: str) -> Callable[[F], F]:
    """Mark a test that causes a fault; `seen` is what was seen in a real run, with figures where there are any."""
    one = Fault(section, done, promised, seen)

    def mark(test: F) -> F:
        test.__dict__.setdefault("faults", []).append(one)
        marked: F = pytest.mark.faults(test)
        return marked

    return mark


def faults() -> Iterator[tuple[Path, str, Fault]]:
    """Yield every fault with the file and the name of its test."""
    for path in sorted(FOLDER.glob("test_*.py")):
        module = importlib.import_module(f"tests.faults.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                for one in reversed(getattr(test, "faults", [])):
                    yield path, name, one


def page() -> str:
    """Return the text of docs/reliability.md."""
    found = list(faults())
    parts = [INTRODUCTION.read_text(encoding="utf-8").rstrip().replace("{count}", str(len(found)))]
    for section in get_args(Section):
        rows = [
            f"| {one.done} | {one.promised} | {one.seen} | [{name.removeprefix('test_')}](../tests/faults/{path.name}) |"
            for path, name, one in found
            if one.section == section
        ]
        if rows:
            parts.append("\n".join([f"## {section}\n", "| done | promised | seen | test |", "|---|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(page(), end="")

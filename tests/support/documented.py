"""The commands that README.md and docs/ show, and how what they print is compared with what is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

WALK = ROOT / "docs" / "your-own-app.md"

IN_VIRTUAL_MACHINES = ("-i vagrant", "-i qemu")
"""What a line says that tests/test_vm_rows.py runs."""

BLOCKS = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^```sh\n(.*?)^```\n\s*^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
MASKS = (
    (r"\b\d{8}-\d{6}\b", "RUN"),
    (r"\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?\b", "DATE"),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", "HASH"),
    (r"\b\d+\.\d+\.\d+\.\d+(?::\d+)?\b", "ADDRESS"),
    (r"(?<![\w-])[-+±]?\d[\d,.]*(?:[eE]-?\d+)?(?:%|[num]?s\b)?|–", "N"),
    (r"-{2,}", "--"),
    (r"[ \t]+", " "),
)
"""What differs from run to run, and what stands for it when printed text is compared."""


@dataclass(frozen=True)
class Command:
    """A line of a shell block in a page."""

    page: str
    line: str
    output: str = ""
    """What the page says it prints; empty where it does not say."""


def documented() -> list[Command]:
    """Return the commands of all shell blocks, each once; those of the page that is followed as a whole are its test's."""
    found: dict[str, Command] = {}
    for page in PAGES:
        shown = {commands(block)[-1]: output for block, output in SHOWN.findall(page.read_text())}
        for language, _, block in BLOCKS.findall(page.read_text()):
            for line in commands(block) if language == "sh" and page != WALK else ():
                if any(flag in line for flag in IN_VIRTUAL_MACHINES):
                    continue
                found.setdefault(line, Command(page.name, line, shown.get(line, "")))
    return list(found.values())


def commands(block: str) -> list[str]:
    """Return the commands of a shell block, one a line, without comments."""
    lines = [line.partition("  #")[0].strip() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def masked(text: str) -> str:
    """Return a printed text with marks in place of all that differs from run to run."""
    for pattern, mark in MASKS:
        text = re.sub(pattern, mark, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


def agrees(printed: str, shown: str) -> bool:
    """Return whether a command printed what a page shows."""
    lines = [re.escape(line) if line != "…" else r"(?:.*\n)*?.*" for line in masked(shown).splitlines()]
    return re.fullmatch("\n".join(lines), masked(printed)) is not None

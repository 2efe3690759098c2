"""A gate as Markdown, fit for the comment of a pull request: what failed is a table, all the rest is folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchrig.console import printable
from benchrig.report.export.markdown import escaped, unlinked
from benchrig.report.gate import words
from benchrig.report.gate.model import Gate, Judged, Judgement

MOST_CHARACTERS = 60_000
"""GitHub refuses a comment of more than 65,536."""


def render(gate: Gate) -> str:
    """Return a gate as Markdown. Of conditions that a comment has no room for, it says how many there are."""
    bad = [*gate.those(Judgement.FAILED), *gate.those(Judgement.NOT_DECIDED)]
    head = [
        f"## benchrig gate: {words.WORDS[gate.judgement]}",
        f"{_shown(words.counts(gate))}: {_shown(words.about(gate))}.",
    ]
    notes = "\n".join(f"- {_shown(note)}" for note in gate.notes)
    sections = [*head, _table(bad, gate, MOST_CHARACTERS // 3)]
    folded = _table(gate.conditions, gate, MOST_CHARACTERS // 2)
    sections.append(f"<details><summary>All {len(gate.conditions)} conditions</summary>\n\n{folded}\n\n</details>")
    if notes:
        sections.append(f"<details><summary>Notes: {len(gate.notes)}</summary>\n\n{notes}\n\n</details>")
    return printable("\n\n".join(section for section in sections if section)) + "\n"


def _table(conditions: Sequence[Judged], gate: Gate, room: int) -> str:
    """Return a table of conditions, of as many as there is room for; empty of none."""
    lines = ["| | condition | reason |", "|---|---|---|"]
    for shown, line in enumerate(_lines(conditions, gate)):
        room -= len(line)
        if room < 0:
            lines.append(f"| | and {len(conditions) - shown} more | `--json` has all |")
            break
        lines.append(line)
    return "\n".join(lines) if conditions else ""


def _lines(conditions: Sequence[Judged], gate: Gate) -> Iterator[str]:
    for judged in conditions:
        cells = (
            f"**{words.WORDS[judged.judgement]}**",
            _shown(words.condition(judged, gate)),
            _shown(words.reason(judged, gate)),
        )
        yield f"| {' | '.join(cells)} |"


def _shown(text: str) -> str:
    """Escape text so that a comment shows it unchanged, and mentions and links nobody."""
    return unlinked(escaped(text))

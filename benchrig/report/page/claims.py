"""The claims of a page: grouped by their verdicts, those that need attention first and open, each with a small chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchrig.language import say, say_count, say_data
from benchrig.report import describe
from benchrig.report.charts.chart import Chart
from benchrig.report.charts.claim import claim_chart, guide
from benchrig.report.document import Report
from benchrig.report.sentences import reason
from benchrig.report.verdict import Verdict, Word

_ORDER = (Word.CONTRADICTED, Word.INCONCLUSIVE, Word.REPRODUCED, Word.NOT_TESTABLE)
"""The verdicts in the order of the page: what a reader must look at comes first."""

_OPEN = frozenset({Word.CONTRADICTED, Word.INCONCLUSIVE})

_COLOURS: Mapping[Word, str] = {
    Word.REPRODUCED: "good",
    Word.CONTRADICTED: "bad",
    Word.INCONCLUSIVE: "doubtful",
    Word.NOT_TESTABLE: "untested",
}


@dataclass(frozen=True)
class Claim:
    """A claim as the page shows it."""

    verdict: Verdict
    reason: str
    """Why the verdict is what it is, without the command that would decide it."""
    command: str
    """The command that would decide this claim alone; empty where none would."""
    chart: Chart | None
    """Published against measured; None where there is nothing to draw."""


@dataclass(frozen=True)
class Group:
    """The claims of one verdict."""

    key: str
    """Names its place in the page: `claims-contradicted`."""
    word: str
    """The verdict's word."""
    colour: str
    """The class that colours it."""
    open: bool
    """It is shown unfolded."""
    claims: tuple[Claim, ...]
    steps: tuple[tuple[str, str], ...]
    """What would decide these claims, each with one command for all of them."""

    @property
    def count(self) -> str:
        """How many claims it has, in words."""
        return say_count("1 claim", "{count} claims", len(self.claims))


@dataclass(frozen=True)
class Section:
    """The claims of a document."""

    document: str
    groups: tuple[Group, ...]
    guide: str
    """How to read their charts; empty where none has one."""
    absent: str
    """How many claims are about rows that were not part of the run; empty where none is."""


def section(report: Report) -> Section | None:
    """Return the claims of a report for its page; None where it has none."""
    if not report.verdicts:
        return None
    shown = describe.claims_shown(report.verdicts)
    groups = tuple(_group(report, word, of) for word in _ORDER if (of := [one for one in shown if one.word is word]))
    return Section(
        report.table.source.source.document if report.table.source else "",
        groups,
        guide() if any(claim.chart for group in groups for claim in group.claims) else "",
        _absent(len(report.verdicts) - len(shown)),
    )


def _absent(count: int) -> str:
    if not count:
        return ""
    return say_count(
        "1 more is about rows that are not in this run", "{count} more are about rows that are not in this run", count
    )


def _group(report: Report, word: Word, verdicts: Sequence[Verdict]) -> Group:
    steps = describe.next_steps(report.table, verdicts)
    key = f"claims-{word.name.lower().replace('_', '-')}"
    return Group(key, say_data(word.value), _COLOURS[word], word in _OPEN, tuple(map(_claim, verdicts)), steps)


def _claim(verdict: Verdict) -> Claim:
    text, command = reason(verdict), verdict.reason.command
    if command and text.endswith(command):
        # The group has one command for all of its claims; a claim's own one is folded.
        text = say("{text}.", text=text.removesuffix(command).rstrip(" :："))
    # Of a claim that cannot be tested here there is nothing to compare.
    chart = None if verdict.word is Word.NOT_TESTABLE else claim_chart(verdict)
    return Claim(verdict, text, command, chart)

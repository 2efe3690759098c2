"""`report.md`: the report for people, with what is needed to judge it and to repeat the run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from benchrig.console import printable
from benchrig.language import say, say_data
from benchrig.report import columns, describe
from benchrig.report.columns import Grid
from benchrig.report.document import Report
from benchrig.report.footnotes import Footnote
from benchrig.report.legend import legend
from benchrig.report.sentences import reason
from benchrig.report.spoken import spoken
from benchrig.report.verdict import Verdict

_LIVE = re.compile(r"(?<=[@#!~])(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\bGH-)(?=\d)", re.IGNORECASE)
"""Where a text from outside would become a mention, a link to an issue, or a link."""


def render(report: Report) -> str:
    """Return the report as Markdown: table, warnings, claims, what ran, the machines, and how to repeat the run."""
    report = spoken(report)
    table = report.table
    grid = columns.grid(table, columns.of_files(table, report.columns))
    sections = [
        f"# {escaped(table.title)}",
        bullets(describe.heading_lines(table)),
        _grid(grid),
        *(_said(text, command) for text, command in legend(table)),
        _section(say("Warnings"), "\n".join(_footnote(number, note) for number, note in enumerate(grid.footnotes, 1))),
        _section(say("Claims"), _claims(report)),
        _section(say("Not run"), bullets(table.not_run)),
        _section(say("Replies"), bullets(describe.replies_lines(table.rows))),
        _section(say("What ran"), bullets(describe.what_ran(table.rows))),
        _section(say("The published figures"), bullets(describe.source_lines(table.published)) if table.published else ""),
        *(_section(title, _settings(pairs)) for title, pairs in describe.settings(table).items()),
        _section(say("How to repeat it"), _repeat(report)),
        _section(say("Each row's load, run in this folder"), _code(describe.loads(table.rows))),
    ]
    return printable("\n\n".join(section for section in sections if section)) + "\n"


def _section(title: str, body: str) -> str:
    return f"## {escaped(title)}\n\n{body}" if body else ""


def _grid(grid: Grid) -> str:
    rule = "|".join([*("---" if column.words else "---:" for column in grid.columns), "---"])
    return "\n".join([table_line(grid.titles), f"|{rule}|", *(table_line(row) for row in grid.rows)])


def table_line(cells: Sequence[str]) -> str:
    """Return a line of a table; what Markdown would take for its own stands as it is."""
    return "| " + " | ".join(map(escaped, cells)) + " |"


def _footnote(number: int, footnote: Footnote) -> str:
    return "\n".join([f"{number}. {escaped(footnote.kind)}", *(_item(text) for text in footnote.lines)])


def _item(text: str) -> str:
    """Return a nested item; the lines after the first, such as the end of a journal, become a code block."""
    first, *rest = text.splitlines()
    block = ["", *(f"{' ' * 10}{line}" for line in rest), ""] if rest else []
    return "\n".join([f"    - {_begun(first)}", *block])


def _claims(report: Report) -> str:
    """Return what became of the claims: how many of each, what to do next, then each with its figures and its reason."""
    verdicts, more = report.verdicts, describe.next_steps(report.table, report.verdicts)
    if not verdicts:
        return ""
    head = [say("{counts}.", counts=describe.verdict_counts(verdicts)), ""]
    steps = [line for what, command in more for line in (_said(what, command), "")]
    return "\n".join([*head, *steps, *map(_verdict, describe.claims_shown(verdicts))]).rstrip()


def _said(text: str, command: str) -> str:
    """Return a paragraph, and the command that it ends with as a block of code."""
    return "\n\n".join([_begun(text), *([_code([command])] if command else [])])


def _verdict(verdict: Verdict) -> str:
    lines = [
        say("published: {text}", text=describe.quantities(verdict.published)) if verdict.published else "",
        say("measured: {text}", text=describe.quantities(verdict.measured)) if verdict.measured else "",
        reason(verdict),
        *(say("note: {text}", text=note) for note in verdict.notes),
        *(say("cause: {text}", text=cause) for cause in verdict.causes),
    ]
    head = (
        f"- **{say_data(verdict.word.value)}**: {escaped(verdict.says)} ({escaped(verdict.claim)}; {escaped(verdict.place)})"
    )
    return "\n".join([head, *(_item(line) for line in lines if line)])


def _settings(pairs: Mapping[str, str]) -> str:
    lines = ((say("setting or program"), say("value")), *pairs.items())
    heading, *rest = map(table_line, lines)
    return "\n".join([heading, "|---|---|", *rest])


def _repeat(report: Report) -> str:
    run, command = report.table.run, _code([describe.repeat_command(report.table)])
    return f"{escaped(describe.provenance(run))}\n\n{command}" if run else command


def bullets(lines: Iterable[str]) -> str:
    """Return a list of texts, one an item."""
    return "\n".join(f"- {_begun(line)}" for line in lines)


def _code(lines: Sequence[str]) -> str:
    text = "\n".join(lines)
    # A longer fence than any that is in the text, so that the text cannot end the block.
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall("`+", text))])
    return f"{fence}\n{text}\n{fence}" if lines else ""


def _begun(text: str) -> str:
    """Escape text at the beginning of a line, where it could be a heading, a quote, a rule or a list."""
    return re.sub(r"^(\d+(?=[.)](?:\s|$))|(?=[#>+=~-]))", r"\1\\", escaped(text))


def escaped(text: str) -> str:
    """Escape text so that Markdown shows it unchanged and in one line, in a table too."""
    return re.sub(r"([\\`*<|\[&])", r"\\\1", " ".join(text.splitlines()))


def unlinked(text: str) -> str:
    """Return Markdown that mentions and links nobody, as the comment of a pull request must: names come from outside."""
    return _LIVE.sub("<!-- -->", text)

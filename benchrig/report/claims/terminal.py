"""Claims and their verdicts on a terminal of 100 columns: each with its figures, then how many of each verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchrig import shell
from benchrig.report import describe
from benchrig.report.claims.audit import Audit
from benchrig.report.document import Report
from benchrig.report.sentences import reason, sentence, title
from benchrig.report.texts import Verdict as Verdicts
from benchrig.report.verdict import Quantity, Verdict, Word
from benchrig.results.codes import Code

_WIDTH = 100
_LABEL = 13
_NARROWEST_NAME = 20
_LONGEST_NAME = 100

MOST_INVALID = 2
"""Claims that are told one by one where the same warnings make their rows invalid."""

_QUIET = frozenset({Code.DISTURBED, Code.STEAL})


def render_report(report: Report, suites: Sequence[str] = ()) -> str:
    """Return the verdicts on a run or on published figures, below lines that describe it.

    `suites` are those whose runs are compared with figures that have claims.
    """
    table, more = report.table, describe.next_steps(report.table, report.verdicts)
    verdicts = render_terminal(report.verdicts, table.first_server, table.name)
    others = [f"with claims: ./inv claims --suite {shell.quote([suite])}" for suite in suites if not report.verdicts]
    return "\n\n".join(["\n".join(describe.heading_lines(table)), "\n".join([verdicts, *others]), *map(" ".join, more)])


def render_terminal(verdicts: Sequence[Verdict], server: str = "", run: str = "") -> str:
    """Return the verdicts as text without colours; a line that says so when there are none.

    `server` is the server whose rows they are judged by, if there are several. Claims on a `run` whose rows are invalid are
    told together where there are more than MOST_INVALID for the same warnings.
    """
    if not verdicts:
        return "No claims: no file in configs/claims/ belongs to the published figures of this report."
    bounds = ["[a, b] is the 95 % interval"] if any(_has_interval(verdict) for verdict in verdicts) else []
    where = f", on {server} alone" if server else ""
    count = f"{len(verdicts)} claim{'' if len(verdicts) == 1 else 's'}{where}: {describe.verdict_counts(verdicts)}"
    invalid = Counter(verdict.invalid_by for verdict in verdicts if verdict.invalid_by)
    alike = {codes: number for codes, number in invalid.items() if number > MOST_INVALID}
    alone = [verdict for verdict in describe.claims_shown(verdicts) if verdict.invalid_by not in alike]
    shown = ["\n".join(_lines(verdict)) for verdict in alone]
    shown += ["\n".join(_invalid(codes, number, run)) for codes, number in alike.items()]
    return "\n\n".join([*shown, *bounds, "\n".join(_wrapped("", count, "  "))])


def render_audit(audit: Audit) -> str:
    """Return a published set's audit as text."""
    published = audit.published
    agree = audit.compared - len(audit.differing)
    raw = f"{agree} of {audit.compared} figures in the table agree with the load generator's output"
    law = f"{len(audit.contradicting)} of {audit.averages} mean latencies contradict Little's law"
    verdicts = Counter(verdict for _, verdict, _ in audit.texts)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in Verdicts if verdicts[verdict])
    sections = [
        [f"{published.name}: {published.title}", *_wrapped("  ", published.source.document)],
        _listed(raw if audit.compared else "The article has no output of the load generator.", audit.differing),
        _listed(law if audit.averages else "The article has no latencies.", audit.contradicting),
        *([_listed(f"{len(audit.texts)} texts of the load generator: {counts}", _texts_of(audit))] if audit.texts else []),
        [render_terminal(audit.verdicts)],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections)


def _texts_of(audit: Audit) -> Iterator[str]:
    """Yield each text that is not sound, with what makes it invalid, or else with its warnings by name."""
    for name, verdict, warnings in audit.texts:
        if invalid := [warning for warning in warnings if warning.invalid]:
            yield f"{name}: {verdict}: {' '.join(map(sentence, invalid))}"
        elif warnings:
            yield f"{name}: {verdict}: {', '.join(warning.code.value.replace('_', ' ') for warning in warnings)}"


def _lines(verdict: Verdict) -> Iterator[str]:
    yield from _wrapped("", f"{verdict.claim}: {verdict.word}")
    yield from _wrapped("  ", f"{verdict.says} ({verdict.place})")
    if verdict.expression:
        yield from _labelled("claim", verdict.expression)
    yield from _figures(verdict)
    yield from _labelled("reason", reason(verdict))
    for cause in verdict.causes:
        yield from _labelled("cause", cause)
    for note in verdict.notes:
        yield from _labelled("note", note)


def _invalid(codes: Sequence[Code], number: int, run: str) -> Iterator[str]:
    names = ", ".join(map(title, codes))
    advice = " Measure again when the machine is quiet." if _QUIET & {*codes} else ""
    yield f"{number} claims: {Word.NOT_TESTABLE}"
    yield from _wrapped("  ", f"All need rows that are invalid: {names}.{advice}")
    yield from _wrapped("  ", f"Each with its reason: {shell.quote(['./inv', 'report', run])} writes report.html.")


def _figures(verdict: Verdict) -> Iterator[str]:
    """Return a line for each figure, published and measured.

    A long formula stands in the claim above already: if there is only one, it is called `altogether` instead.
    """
    long = {one.name for one in (*verdict.published, *verdict.measured) if len(one.name) > _LONGEST_NAME}
    short = dict.fromkeys(long, "altogether") if len(long) == 1 else {}
    columns = {"published": _texts(verdict.published, short), "measured": _texts(verdict.measured, short)}
    shown = {title: texts for title, texts in columns.items() if texts}
    names = dict.fromkeys(name for texts in shown.values() for name in texts)
    if not names:
        return
    widths = {title: max(len(title), *map(len, texts.values())) for title, texts in shown.items()}
    room = max(_NARROWEST_NAME, _WIDTH - _LABEL - sum(width + 2 for width in widths.values()))
    yield " " * (_LABEL + room) + "".join(f"  {title:>{width}}" for title, width in widths.items())
    for name in names:
        figures = "".join(f"  {texts.get(name, '–'):>{widths[title]}}" for title, texts in shown.items())
        *above, last = textwrap.wrap(name, room, break_long_words=False, break_on_hyphens=False)
        yield from (" " * _LABEL + line for line in above)
        yield f"{'':{_LABEL}}{last:{room}}{figures}"


def _texts(quantities: Iterable[Quantity], short: Mapping[str, str]) -> dict[str, str]:
    return {short.get(one.name, one.name): one.text for one in quantities}


def _has_interval(verdict: Verdict) -> bool:
    return any(quantity.low is not None for quantity in verdict.measured)


def _labelled(label: str, text: str) -> list[str]:
    return _wrapped(f"  {label:<{_LABEL - 2}}", text, " " * _LABEL)


def _listed(title: str, lines: Iterable[str]) -> list[str]:
    return [title, *(wrapped for line in lines for wrapped in _wrapped("  ", line, "    "))]


def _wrapped(start: str, text: str, rest: str | None = None) -> list[str]:
    indent = start if rest is None else rest
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )

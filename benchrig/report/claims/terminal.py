"""Claims and their verdicts on a terminal of 100 columns: each with its figures, then how many of each verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchrig.report import describe
from benchrig.report.claims.audit import Audit
from benchrig.report.document import Report
from benchrig.report.sentences import reason, sentence
from benchrig.report.texts import Verdict as Verdicts
from benchrig.report.verdict import Quantity, Verdict

_WIDTH = 100
_LABEL = 13
_NARROWEST_NAME = 20
_LONGEST_NAME = 100


def render_report(report: Report) -> str:
    """Return the verdicts on a run or on published figures, below lines that describe it."""
    table, more = report.table, describe.next_steps(report.table, report.verdicts)
    verdicts = render_terminal(report.verdicts, table.first_server)
    return "\n\n".join(["\n".join(describe.heading_lines(table)), verdicts, *map(" ".join, more)])


def render_terminal(verdicts: Sequence[Verdict], server: str = "") -> str:
    """Return the verdicts as text without colours; a line that says so when there are none.

    `server` is the server whose rows they are judged by, if there are several.
    """
    if not verdicts:
        return "No claims: no file in configs/claims/ belongs to the published figures of this report."
    bounds = ["[a, b] is the 95 % interval of a median"] if any(_has_interval(verdict) for verdict in verdicts) else []
    where = f", on {server} alone" if server else ""
    count = f"{len(verdicts)} claim{'' if len(verdicts) == 1 else 's'}{where}: {describe.verdict_counts(verdicts)}"
    shown = ["\n".join(_lines(verdict)) for verdict in describe.claims_shown(verdicts)]
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

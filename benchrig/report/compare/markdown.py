"""A comparison as Markdown, for a pull request: what was found first, the rest folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchrig.console import printable
from benchrig.report import describe
from benchrig.report.compare import texts
from benchrig.report.compare.texts import Block
from benchrig.report.compare.values import Change, Comparison, Pairing
from benchrig.report.export.markdown import bullets, escaped, table_line, unlinked
from benchrig.report.verdict import Answer

_HEADINGS = ("row", "A", "{side}", "change", "95 % interval", "p", "n", "verdict")
_RULE = "|---|---:|---:|---:|---:|---:|---:|---|"


def render(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    parts = ["\n\n".join(filter(None, _pairing(pairing, comparison.noise))) for pairing in comparison.pairings]
    return printable(unlinked("\n\n".join(parts))) + "\n"


def _pairing(pairing: Pairing, noise: float) -> Iterator[str]:
    sides = ("A", pairing.side)
    tables = zip(sides, (pairing.a, pairing.b), strict=True)
    yield f"### {_counts(pairing)}"
    yield bullets([f"{side}: {describe.heading_lines(table)[0]}" for side, table in tables])
    yield bullets(texts.notes(pairing))
    blocks = texts.blocks(pairing)
    telling = [block for block in blocks if any(change.is_found for change in block.changes)]
    rest = [block for block in blocks if block not in telling]
    yield from (_block(block, pairing.side) for block in telling)
    if rest:
        inner = "\n\n".join(_block(block, pairing.side) for block in rest)
        yield f"<details><summary>{len(rest)} metrics without a difference that was shown</summary>\n\n{inner}\n\n</details>"
    if pairing.conditions:
        yield "These conditions differ, and may explain a difference in the figures:"
        yield bullets([one.line(sides) for one in pairing.conditions])
    yield bullets([*texts.not_judged(pairing), *texts.only(pairing)])
    yield "\n".join(f"_{escaped(said)}_" for said in texts.closing(pairing, noise))


def _counts(pairing: Pairing) -> str:
    """Return how many changes were found: `B against A: 2 better, 1 worse, 20 not shown to differ`."""
    better = sum(change.verdict is Answer.BETTER for change in pairing.changes)
    worse = sum(change.verdict is Answer.WORSE for change in pairing.changes)
    open_ = sum(change.verdict is Answer.NO_DIFFERENCE for change in pairing.changes)
    return f"{pairing.side} against A: {better} better, {worse} worse, {open_} not shown to differ"


def _block(block: Block, side: str) -> str:
    if block.is_nothing:
        return f"**{block.metric.label}**: 0 in every row"
    headings = [heading.format(side=side) for heading in _HEADINGS]
    lines = [table_line(_cells(change)) for change in block.changes]
    if block.mean:
        lines.append(table_line((*texts.mean_cells(block.mean), "")))
    return "\n".join([f"**{block.title}**", "", table_line(headings), _RULE, *lines])


def _cells(change: Change) -> Sequence[str]:
    verdict = texts.NOT_SHOWN if change.verdict is Answer.NO_DIFFERENCE else change.verdict.value
    return (*texts.cells(change), verdict)

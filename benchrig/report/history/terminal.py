"""The history on a terminal: a line for each run of a row, with its steps and what differs there; or a line for each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchrig import shell
from benchrig.agent.text import short
from benchrig.drawing import Signs, bars, scale
from benchrig.report import figures
from benchrig.report.history.lookup import History
from benchrig.report.history.series import MOST_UNLIKE, Judgement, Point, Series, Step
from benchrig.report.metrics import BY_NAME, Metric
from benchrig.report.plain import fitting, text_width, wrapped
from benchrig.statistics.steps import LEAST_RUNS, SHORTEST_LEVEL
from benchrig.units import REQUESTS_PER_SECOND, p_value, percent

MOST_CAUSES = 12
"""Facts that are told of a step; `--json` has all."""

WIDEST_SCALE = 40
NARROWEST_SCALE = 10

MOST_BARS = 20
"""Newest runs that are drawn in a row's line."""

COMMIT_DIGITS = 12

LABEL_WIDTH = 40
"""Characters of a run's label in its line."""


def render(history: History, signs: Signs, width: int | None = None) -> str:
    """Return a history as text, in `width` columns if it fits. Of a row that was asked for, it has a line for each run."""
    metric, room = BY_NAME[history.metric], text_width(width)
    if history.row and len(history.rows) == 1:
        return "\n\n".join("\n".join(lines) for lines in _sections(history, metric, signs, room, width) if lines)
    return "\n\n".join("\n".join(lines) for lines in _overview(history, metric, signs, room, width) if lines)


def _sections(history: History, metric: Metric, signs: Signs, room: int, width: int | None) -> Iterator[list[str]]:
    """Yield the sections of one row's history."""
    (one,) = history.rows
    runs = _count(len(one.points), "run")
    yield [
        wrapped(f"{metric.claimed}({one.row}){_unit(metric)}: {runs} of like conditions, suite {history.suite}", room),
        wrapped(f"    {one.system}; {', '.join(f'{name} {value}' for name, value in one.conditions.items())}", room),
    ]
    yield [_table(one, metric, signs, width)]
    for step in one.steps:
        yield [wrapped(line, room) for line in step_lines(step, metric)]
    yield [wrapped(line, room) for line in closing(one, metric)]


def _table(one: Series, metric: Metric, signs: Signs, width: int | None) -> str:
    """Return a table with a line for each run; a step is marked where its new level begins."""
    steps = {step.run: f"step {_percent(step.ratio)}" for step in one.steps}
    everything = [value for point in one.points if not point.unused for value in point.values]
    columns = min(WIDEST_SCALE, max(NARROWEST_SCALE, (width or 140) - 80))
    rows = [
        [
            point.run,
            point.commit[:COMMIT_DIGITS] + ("-dirty" if point.commit.endswith("-dirty") else ""),
            str(len(point.values)),
            _value(point, metric),
            scale(_drawn(point), everything, columns, signs),
            "; ".join(filter(None, [point.unused or steps.get(point.run, ""), short(point.label, LABEL_WIDTH)])),
        ]
        for point in one.points
    ]
    headings = ["run", "commit", "repeats", metric.heading, "", ""]
    text, _ = fitting(headings, rows, 2, width, [(1,), (2,)])
    return "\n".join(line.rstrip() for line in text.splitlines())


def _drawn(point: Point) -> tuple[float, Sequence[float]] | None:
    return None if point.unused or point.value is None else (point.value, point.values)


def step_lines(step: Step, metric: Metric) -> Iterator[str]:
    """Yield the lines about a step: how large it is, the first run and its commit, and what differs."""
    yield f"{_word(step.ratio, metric)} since {step.run}, the first run after {step.run_before}"
    causes = [one for one in step.differs if one.name != "commit"]
    before, first = step.commit_before, step.commit
    if first != before:
        yield f"    commit: {before or 'not known'} -> {first or 'not known'}"
        if first and before and "-" not in first + before:
            yield f"    git log --oneline {before[:COMMIT_DIGITS]}..{first[:COMMIT_DIGITS]}"
    for one in causes[:MOST_CAUSES]:
        yield f"    {one}"
    if len(causes) > MOST_CAUSES:
        yield f"    and {len(causes) - MOST_CAUSES} more: --json has them"
    if not step.differs:
        yield "    nothing that is recorded differs between the two runs"


def closing(one: Series, metric: Metric) -> Iterator[str]:
    """Yield what is known of the newest run, and what was left out."""
    used = sum(1 for point in one.points if not point.unused)
    if len(one.points) == 1:
        few = f"a step takes {2 * SHORTEST_LEVEL}, and {LEAST_RUNS} before it are needed to judge the newest run"
        yield f"there is one run of like conditions: {few}"
    elif used < 2 * SHORTEST_LEVEL:
        yield f"no step can be seen in {_count(used, 'run')}: {2 * SHORTEST_LEVEL} are needed"
    elif not one.steps:
        yield f"no step in {_count(used, 'run')}"
    if len(one.points) > 1:
        yield f"the newest run: {judged(one.newest, metric)}"
    if one.left_out:
        yield f"{_count(one.left_out, 'earlier run')} of like conditions not looked at; --last takes more"
    for other in one.unlike[:MOST_UNLIKE]:
        yield f"left out: {other}"
    if len(one.unlike) > MOST_UNLIKE:
        yield f"left out: {sum(other.runs for other in one.unlike[MOST_UNLIKE:]):,} more runs of other conditions"


def judged(found: Judgement, metric: Metric) -> str:
    """Return a judgement in words: `19,643 is off: -5.2 %, 19,800 to 20,100 was expected from 8 runs (p 0.002)`."""
    if found.unknown or found.low is None or found.high is None or found.p is None:
        return found.unknown
    half = (found.high - found.low) / 2
    low, high, value = (metric.unit.text(one, half) for one in (found.low, found.high, found.value))
    since = f"; {_count(found.worse_runs, 'worse run')} since {found.worse_since} left out" if found.worse_since else ""
    expected = f"{low} to {high} expected from {_count(len(found.runs), 'run')}{since}, p {p_value(found.p)}"
    if not found.off:
        return f"{value} is as expected ({expected})"
    return f"{value} is off: {_word(found.ratio, metric)} ({expected})"


def _overview(history: History, metric: Metric, signs: Signs, room: int, width: int | None) -> Iterator[list[str]]:
    """Yield the sections of the history of all rows."""
    yield [wrapped(f"{metric.claimed}{_unit(metric)} of suite {history.suite}, newest run {history.newest_run}", room)]
    rows = [
        [
            one.row,
            str(len(one.points)),
            bars([None if point.unused else point.value for point in one.points[-MOST_BARS:]], signs),
            _value(one.points[-1], metric),
            _state(one, history.newest_run, metric),
        ]
        for one in history.rows
    ]
    text, _ = fitting(["row", "runs", "", metric.heading, "last change"], rows, 1, width, [(1,), (2,)])
    yield ["\n".join(line.rstrip() for line in text.splitlines())]
    yield [f"one row with its runs: {shell.quote(['./inv', 'history', history.rows[0].row, '--suite', history.suite])}"]


def _state(one: Series, newest_run: str, metric: Metric) -> str:
    """Return the last change of a row, and whether its newest run is off."""
    used = sum(1 for point in one.points if not point.unused)
    parts = []
    if one.steps:
        step = one.steps[-1]
        parts.append(f"{_word(step.ratio, metric)} since {step.run}")
    elif used < 2 * SHORTEST_LEVEL:
        parts.append(f"too few runs: {2 * SHORTEST_LEVEL} are needed")
    else:
        parts.append("no step")
    if one.newest.off:
        parts.append(f"newest run off: {_word(one.newest.ratio, metric)}")
    newest = one.points[-1]
    if newest.unused:
        parts.append(f"{newest.unused} in {newest.run}")
    elif newest.run != newest_run:
        parts.append(f"last measured in {newest.run}")
    return "; ".join(parts)


def _word(ratio: float | None, metric: Metric) -> str:
    """Return how a value has changed, in words: `5.2 % slower`."""
    if ratio is None:
        return "above 0, which it never was"
    lower, higher = ("slower", "faster") if metric.unit is REQUESTS_PER_SECOND else ("lower", "higher")
    return f"{percent(100 * abs(ratio - 1))} % {lower if ratio < 1 else higher}"


def _percent(ratio: float | None) -> str:
    return "from 0" if ratio is None else f"{'-' if ratio < 1 else '+'}{percent(100 * abs(ratio - 1))} %"


def _value(point: Point, metric: Metric) -> str:
    """Return a run's value as its report shows it."""
    return figures.text(figures.sample(point.values, metric) if point.values else None, metric)


def _unit(metric: Metric) -> str:
    return f" in {metric.unit.name}" if metric.unit.name else ""


def _count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"

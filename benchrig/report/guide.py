"""The page on metrics, docs/metrics.md, written from the registry: `python -m benchrig.report.guide > docs/metrics.md`."""

from __future__ import annotations

from benchrig.report.metrics import ALWAYS, FILES_ONLY, METRICS, Metric

_HEAD = """\
# Metrics

Written from `benchrig/report/metrics/`, where each metric is one entry; a test compares the two.

`report.md` and `report.html` have a column for each metric with a value; `report.csv` and `report.json` have all metrics.
The terminal has those marked *terminal*, and hides the ones with the lowest priority first when it is too narrow. *compare*
marks those that `./inv compare` shows. A dash, an empty field or `null` means no value.

With several repeats, a value is what the column *repeats* says. The *median* of a count is the lower of the middle two,
which was really counted. *Most* and *least* are of all repeats, so that no repeat's errors or slowest reply are hidden. Each
counter of errors is the most of any repeat by itself; `errors` is the most that one repeat had in all. `samples` in
`report.json` has the `values` of all repeats, the `value` shown, their `median`, `low` and `high`, and the 95 % `interval`
of the median from three repeats on, with `assumed` where there are [fewer than six](reading-a-report.md#repeats). The files
for programs have all digits; the others [round](reading-a-report.md#digits).

Claims read a metric by its function. [Claims](claims.md#counts-and-extremes) says how counts, *most* and *least* are judged.

| heading | in `report.csv` and `report.json` | in claims | unit | kind | repeats | shown by | what it is |
|---|---|---|---|---|---|---|---|
"""

_REPEATS = {"median": "median", "max": "most", "min": "least"}


def page() -> str:
    """Return docs/metrics.md."""
    return _HEAD + "".join(f"{_line(metric)}\n" for metric in METRICS)


def _line(metric: Metric) -> str:
    cells = (
        metric.label,
        f"`{metric.name}`",
        f"`{metric.claimed}(row)`",
        metric.unit.name or "–",
        metric.kind,
        _REPEATS[metric.combined],
        _shown_by(metric),
        metric.meaning,
    )
    return f"| {' | '.join(cells)} |"


def _shown_by(metric: Metric) -> str:
    terminal = {FILES_ONLY: "", ALWAYS: "terminal, always"}.get(metric.priority, f"terminal, {metric.priority:g}")
    return "; ".join(filter(None, ["files", terminal, "compare" if metric.compared else ""]))


if __name__ == "__main__":
    print(page(), end="")

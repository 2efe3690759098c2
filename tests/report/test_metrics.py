"""The registry of metrics: its entries are sound, and one entry is all that a new metric needs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from benchrig.report import guide
from benchrig.report.metrics import METRICS
from tests.support import ROOT

NEW_ENTRY = """\
    Metric(
        name="latency_probe_ms",
        heading="probe",
        meaning="a probe",
        unit=MILLISECONDS,
        kind="lower is better",
        read=lambda cell: 4321.0 if cell.repeat > 1 else 1234.0,
        priority=500,
        compared=True,
        published=True,
    ),
"""

USES = """
from pathlib import Path
from tempfile import mkdtemp

from benchrig.report import EXPORTS, compare, render_terminal
from benchrig.report.compare import terminal
from tests.support.claims import judged, one
from tests.support.reports import a_cell, a_report

cells = [a_cell(repeat=1), a_cell(repeat=2)]
report = a_report("go-2000", cells=cells)
print(render_terminal(report))
for export in EXPORTS.values():
    print("=====")
    print(export(report))
print("=====")
print(terminal.render(compare([report, report])).text)
print("=====")
print(judged(one(Path(mkdtemp()), "latency_probe(go-2000) > 2000"), cells).reason)
"""


def test_names_and_functions_are_distinct_and_names_say_the_unit() -> None:
    for names in ([metric.name for metric in METRICS], [metric.claimed for metric in METRICS]):
        assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [metric.name for metric in METRICS if not f"_{metric.name}".endswith(metric.unit.ending)] == []


def test_the_page_on_metrics_is_the_registrys() -> None:
    """When this fails, the registry has changed: `python -m benchrig.report.guide > docs/metrics.md` writes it anew."""
    assert (ROOT / "docs/metrics.md").read_text(encoding="utf-8") == guide.page()


def test_a_new_metric_is_one_entry_and_is_in_every_output(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "benchrig", tmp_path / "benchrig", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    registry = tmp_path / "benchrig" / "report" / "metrics" / "latency.py"
    begin = "LATENCY: tuple[Metric, ...] = (\n"
    registry.write_text(registry.read_text(encoding="utf-8").replace(begin, begin + NEW_ENTRY), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", USES], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    terminal, markdown, html, csv, document, comparison, claim = done.stdout.split("=====\n")
    for table in (terminal, markdown, html):
        assert "probe" in table
        assert "2,780" in table
    assert "latency_probe_ms" in csv.splitlines()[0].split(",")
    (row,) = json.loads(document)["rows"]
    assert (row["latency_probe_ms"], row["published_latency_probe_ms"]) == (2777.5, None)
    assert row["samples"]["latency_probe_ms"]["values"] == [1234.0, 4321.0]
    assert comparison.count("2.78s") == 2
    assert "latency_probe(go-2000) 2,778 ms is above 2,000" in claim

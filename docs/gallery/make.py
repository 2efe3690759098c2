"""Makes the gallery again: each run that is packed beside this file becomes a page, with pictures of it and of its charts.

Needs the development environment, and Chromium from Debian's package.

    .venv-dev/bin/python docs/gallery/make.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from benchrig.report import load, page  # noqa: E402
from benchrig.report.charts import charts, files  # noqa: E402
from benchrig.results.archive.unpacking import unpack  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
SCREEN = {"width": 1400, "height": 900}

CHARTS = {"web-frameworks": ("published", "percentiles", "histograms")}
"""The charts that have pictures of their own, by run; the pages have all of them."""


def main() -> None:
    """Write `NAME.html`, `NAME.png` and `NAME-CHART.png` for each `NAME.tar.gz`."""
    with sync_playwright() as started, tempfile.TemporaryDirectory() as folder:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for archive in sorted(HERE.glob("*.tar.gz")):
            with archive.open("rb") as packed:
                run = unpack(packed, Path(folder)).folder
            report = load(run, ROOT)
            name = archive.name.removesuffix(".tar.gz")
            shown = HERE / f"{name}.html"
            # The run's files are not beside this page, so it has no links to them.
            shown.write_text(page.render(report, None), encoding="utf-8")
            first = browser.new_page(viewport=SCREEN)
            first.goto(shown.as_uri())
            first.screenshot(path=HERE / f"{name}.png")
            for kind, drawn in charts(report).items():
                if kind in CHARTS.get(name, ()):
                    (HERE / f"{name}-{kind}.png").write_bytes(files.as_png(drawn[0]))
            print(f"{name}: {shown.stat().st_size:,} bytes")
        browser.close()


if __name__ == "__main__":
    main()

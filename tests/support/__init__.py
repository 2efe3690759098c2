"""What tests share: real hosts, runs made by hand, the folders of the project. Data is in `tests/cases`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder."""

CASES = ROOT / "tests" / "cases"
"""Test cases as data: add a case, get a test."""

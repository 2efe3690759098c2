"""Measures the rows of a suite, one cell after the other, each against a freshly started app."""

from benchrig.bench.app import read_apps
from benchrig.bench.run import Outcome, bench
from benchrig.bench.suite import BenchRequest, plan

__all__ = ["BenchRequest", "Outcome", "bench", "plan", "read_apps"]

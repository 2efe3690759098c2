"""Runs compared with each other, or with published figures: what is better, worse, or not shown to differ."""

from benchrig.report.compare.tables import compare
from benchrig.report.compare.values import Change, Comparison, MetricMean, Pairing

__all__ = ["Change", "Comparison", "MetricMean", "Pairing", "compare"]

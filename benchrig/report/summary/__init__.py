"""The summary of a report, as a value and in words: what was measured, who is first, and what spoils the figures."""

from benchrig.report.summary.leading import findings
from benchrig.report.summary.make import summary
from benchrig.report.summary.values import Finding, Kind, Spoiler, Standing, Summary, What

__all__ = ["Finding", "Kind", "Spoiler", "Standing", "Summary", "What", "findings", "summary"]

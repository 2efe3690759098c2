"""Statistics of repeats: intervals, differences, ties, advice. Pure functions over numbers; proof: docs/statistics.md."""

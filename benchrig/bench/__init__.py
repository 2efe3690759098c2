"""Measures the rows of a suite, one cell after the other, each against a freshly started app."""

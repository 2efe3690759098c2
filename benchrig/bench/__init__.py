"""Measuring: a suite's rows are run one after another, each against a freshly started app, and recorded as they end."""

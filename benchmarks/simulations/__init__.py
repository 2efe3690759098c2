"""Simulations that prove a statistical method, one module a topic; `benchmarks/bench_statistics.py` prints their tables."""

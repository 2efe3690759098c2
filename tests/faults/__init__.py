"""Faults caused for real; each test is a row of docs/reliability.md."""

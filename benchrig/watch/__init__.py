"""Watches a bench that runs: on the terminal, in a pipe, or as a page on this computer."""

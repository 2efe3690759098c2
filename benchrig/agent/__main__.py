"""The agent's verbs: `python3 -m agent play` provisions this host, `python3 -m agent bench` serves a benchmark on it."""

from __future__ import annotations

import importlib
import sys

VERBS = ("play", "bench")

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in VERBS:
        sys.exit(importlib.import_module(f".{sys.argv[1]}", __package__).main())
    sys.exit(f"usage: python3 -m agent {'|'.join(VERBS)}")

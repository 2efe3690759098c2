"""The agent's verbs: `play` provisions this host; `bench` joins a controller to `serve`, which serves a benchmark on it.

`unpin` undoes what an agent has left pinned to CPUs.
"""

from __future__ import annotations

import importlib
import os
import pwd
import sys
from pathlib import Path

VERBS = {"play": ".play.serve", "bench": ".bench.front", "serve": ".bench.serve", "unpin": ".bench.pinning"}
"""The module whose `main()` does the work of a verb."""

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in VERBS:
        # Commands start at home, as over SSH; here, Python would take the agent's libraries for its own.
        home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
        os.chdir(home if home.is_dir() else "/")
        sys.exit(importlib.import_module(VERBS[sys.argv[1]], __package__).main())
    sys.exit(f"usage: python3 -m agent {'|'.join(VERBS)}")

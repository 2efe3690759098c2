"""Starts `./inv`. Until there is something to clean up, Ctrl-C ends it at once, also while modules are being loaded."""

from __future__ import annotations

import signal


def start() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # The script `inv` has it wait until here.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    from benchrig.cli.program import main

    main()


start()

"""Who this controller is to the hosts: a session of its own for each command, and the words for people."""

from __future__ import annotations

import os
import socket
from functools import cache


@cache
def session() -> str:
    """Return the random word of this command, which its agents share: a bench and the provision that it starts."""
    return os.urandom(8).hex()


@cache
def who() -> str:
    """Return this controller as an error on another one names it: `user@host, process 123`."""
    import getpass

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    # It is sent as JSON in UTF-8, which a name from the environment need not be.
    user = user.encode(errors="backslashreplace").decode()
    return f"{user}@{socket.gethostname()}, process {os.getpid()}"

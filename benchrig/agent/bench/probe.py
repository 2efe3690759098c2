"""How the versions of a running app are found. Apart from the protocol, because reading an app.yml needs this alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VersionProbe:
    """How to find the version of a part of a running app. Of several probes with one name, the first that fits counts."""

    name: str
    """The part: `Python`, `event loop`."""
    program: str = ""
    """It fits only where the file name of the app's main program matches this regular expression."""
    loaded: str = ""
    """It fits only where a process of the app has mapped a file whose path contains this."""
    installed: str = ""
    """It fits only where the app's environment has this Python distribution."""
    command: tuple[str, ...] = ()
    """Prints the version; `{exe}` in it stands for the main program."""
    pattern: str = ""
    """Regular expression whose first group is the version in what the command prints; it fits only where this matches."""
    distribution: str = ""
    """The Python distribution of the app's environment whose version it is."""
    label: str = ""
    """Stands before the version, or alone where there is none."""

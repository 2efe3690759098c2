"""The files that a gate writes for other programs: JUnit XML, and Markdown for a comment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchrig.errors import BenchrigError, InputError
from benchrig.report import named_files
from benchrig.report.gate import junit, summary
from benchrig.report.gate.model import Gate

_RENDERERS: Mapping[str, Callable[[Gate], str]] = {"--junit": junit.render, "--summary": summary.render}


@dataclass(frozen=True)
class Outputs:
    """Files to write, by the flags that name them; a flag that was not given has an empty name."""

    names: Mapping[str, str]

    def check(self) -> None:
        """Raise InputError for a file that cannot be one, before anything is measured."""
        for flag, name in self._given().items():
            named_files.check(flag, name)
        if len({os.path.realpath(name) for name in self._given().values()}) < len(self._given()):
            raise InputError("--junit and --summary name the same file")

    def write(self, gate: Gate) -> BenchrigError | None:
        """Write each file as a whole. Return what could not be written."""
        for flag, name in self._given().items():
            if failure := named_files.write(flag, name, _RENDERERS[flag](gate)):
                return failure
        return None

    def _given(self) -> Mapping[str, str]:
        return {flag: name for flag, name in self.names.items() if name}

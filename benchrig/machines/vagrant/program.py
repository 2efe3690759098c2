"""Run Vagrant: with the provider named, its output as data, and its progress shown."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchrig import console
from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.command import search_path
from benchrig.machines.vagrant import errors
from benchrig.machines.vagrant.output import Line, failure, parse
from benchrig.machines.vagrant.plan import Provider

LONG = 7200.0
"""Timeout of commands that may fetch a box, in seconds."""

CLEANUP_SECONDS = 60.0
"""How long Vagrant may take to clean up after Ctrl-C."""


@dataclass(frozen=True)
class Vagrant:
    """Vagrant in one clone, for one inventory and provider."""

    root: Path
    key: str
    provider: Provider

    @property
    def machines(self) -> Path:
        """The folder of Vagrant's own records about machines."""
        return self.root / ".vagrant" / "machines"

    def id_of(self, vagrant_name: str) -> str:
        """Return the provider's id of a machine; empty when Vagrant does not know it."""
        try:
            return (self.machines / vagrant_name / self.provider / "id").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def run(
        self,
        arguments: Sequence[str],
        purpose: str,
        *,
        timeout: float = 600.0,
        show: Callable[[str], None] | None = None,
    ) -> tuple[Line, ...]:
        """Run Vagrant to its end and return its output.

        `purpose` begins the error message, `timeout` is in seconds, `show` is given each message of progress as it comes.
        Raises MachineError.
        """
        program = shutil.which("vagrant", path=search_path())
        if program is None:
            raise errors.not_installed()
        argv = [program, *arguments, "--machine-readable"]
        with tempfile.TemporaryFile() as stderr:
            process = subprocess.Popen(
                argv, cwd=self.root, env=self._environ(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr
            )
            lines, late = _followed(
                process, timeout, lambda line: show(self._progress(line)) if show and line.progress else None
            )
            stderr.seek(0)
            complaint = stderr.read().decode("utf-8", "replace")
        if late:
            raise MachineError(f"{purpose}: vagrant did not end within {timeout:.0f} s", Hint(Inv("up"), " tries again."))
        if process.returncode:
            raise errors.error(purpose, failure(lines, complaint), self.provider)
        return lines

    def _progress(self, line: Line) -> str:
        """Return a progress message with the inventory's names of the machines."""
        prefix = f"{self.key}."
        text = re.sub(rf"(?<![\w-]){re.escape(prefix)}", "", line.progress)
        return f"{line.target.removeprefix(prefix) or 'vagrant'}: {text}"

    def _environ(self) -> dict[str, str]:
        # The user's VAGRANT_HOME stays; variables that lead away from this clone's Vagrantfile are replaced.
        own = {
            "VAGRANT_CWD": str(self.root),
            "VAGRANT_DOTFILE_PATH": str(self.root / ".vagrant"),
            "VAGRANT_VAGRANTFILE": "Vagrantfile",
            "VAGRANT_DEFAULT_PROVIDER": self.provider,
            "VAGRANT_CHECKPOINT_DISABLE": "1",
            "BENCHRIG_INVENTORY": self.key,
            "PATH": search_path(),
            "LC_ALL": "C.UTF-8",
        }
        return {**os.environ, **own}


def _followed(
    process: subprocess.Popen[bytes], timeout: float, show: Callable[[Line], None]
) -> tuple[tuple[Line, ...], bool]:
    """Read a process's output to its end. Return its lines, and whether it was killed after `timeout` seconds."""
    assert process.stdout
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(timeout, end)
    timer.start()
    lines = []
    try:
        for raw in process.stdout:
            line = parse(raw.decode("utf-8", "replace"))
            if line is not None:
                lines.append(line)
                show(line)
        process.wait()
    except KeyboardInterrupt:
        # Vagrant got the terminal's signal too, and undoes what is half done.
        console.line("vagrant: interrupted; waiting for it to clean up")
        with suppress(subprocess.TimeoutExpired):
            process.wait(CLEANUP_SECONDS)
        raise
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
    return tuple(lines), late.is_set()

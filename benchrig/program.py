"""What `./inv` runs: Invoke, with its tasks in the order of the story and unknown names answered by the nearest ones."""

from __future__ import annotations

import re

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.program import Program
from invoke.vendor.yaml import YAMLError

from benchrig import __version__
from benchrig.errors import ExitCode, nearest


class BenchrigProgram(Program):
    """Invoke's own program; only how it lists tasks and how it words a mistake on the command line differ."""

    def parse_collection(self) -> None:
        """Load the tasks and Invoke's configuration; a configuration that is no YAML is one line, and exit code 2."""
        try:
            super().parse_collection()
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{mark.name}:{mark.line + 1}" if mark else "Invoke's configuration"
            raise Exit(f"error: {where}: not valid YAML", ExitCode.BAD_INPUT) from None

    def parse_tasks(self) -> None:
        """Read the tasks and their flags; a mistake is one line with the nearest valid names, and exit code 2."""
        try:
            super().parse_tasks()
        except ParseError as error:
            raise Exit(self._explain(error), ExitCode.BAD_INPUT) from None

    def _explain(self, error: ParseError) -> str:
        found = re.match(r"No idea what '(.+)' is!", str(error))
        if not found:
            return str(error)
        name = found[1]
        if name.startswith("-") and error.context is not None:
            return f"unknown flag '{name}' of task '{error.context.name}'; {nearest(name, error.context.flags)}"
        kind = "flag" if name.startswith("-") else "task"
        return f"unknown {kind} '{name}'; {nearest(name, self.collection.task_names)}"

    def _make_pairs(self, coll: Collection, ancestors: list[str] | None = None) -> list[tuple[str, str | None]]:
        pairs = dict(super()._make_pairs(coll, ancestors))
        return [(name, pairs[name]) for name in coll.tasks if name in pairs]


def main() -> None:
    """Run the command line and exit with its code."""
    BenchrigProgram(name="benchrig", binary="inv", version=__version__).run()


if __name__ == "__main__":
    main()

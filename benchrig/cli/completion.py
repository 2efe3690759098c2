"""Shell completion: what may come next on the command line, and the script for each shell that asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchrig.cli.command_line import CommandLine
from benchrig.cli.task import ROOT
from benchrig.errors import InputError, unknown

SCRIPTS = Path(__file__).parent / "completions"
"""One script a shell, named for it."""


def script(shell: str) -> str:
    """Return the completion script of a shell. Raises InputError for one that has none."""
    scripts = {path.stem: path for path in SCRIPTS.iterdir()}
    if shell not in scripts:
        raise unknown("shell", shell, scripts)
    return scripts[shell].read_text(encoding="utf-8").rstrip("\n")


def candidates(line: CommandLine, words: Sequence[str]) -> list[str]:
    """Return what the last of `words` may become; nothing where only a file name or free text fits.

    `words` are those behind `./inv` up to the cursor. Mistakes before the last word do not matter.
    """
    *before, last = words or [""]
    flag, equals, value = last.partition("=")
    prefix = ""
    if last == "=" or before[-1:] == ["="]:
        # Bash takes `--suite=x` apart, and completes only what follows the sign.
        before = before[: -1 if last != "=" else None]
        last = "" if last == "=" else last
    elif equals and flag.startswith("--"):
        before, last, prefix = [*before, flag], value, f"{flag}="
    for word in before:
        try:
            line.feed(word)
        except InputError:
            continue
    return [prefix + one for one in dict.fromkeys(_choices(line, last)) if one.startswith(last)]


def _choices(line: CommandLine, last: str) -> list[str]:
    if flag := line.awaiting or line.may_take:
        argument = line.argument(flag)
        values = _values(line.task, str(argument.name)) if argument else []
        if line.awaiting or not last.startswith("-"):
            return values + ([] if line.awaiting else [*line.own])
    if last.startswith("-"):
        return [flag for flag in line.flags() if flag.startswith("--")] if last.startswith("--") else line.flags()
    if line.missing:
        return _values(line.task, line.missing[0])
    tasks = () if line.task in line.rests else line.own
    return [*(_values(line.task, line.optional[0]) if line.optional else ()), *tasks]


def _values(task: str, parameter: str) -> list[str]:
    """Return the known values of a parameter."""
    known = VALUES.get(f"{task}.{parameter}") or VALUES.get(parameter)
    return known() if known else []


def _stems(folder: str) -> Callable[[], list[str]]:
    return lambda: sorted(path.stem for path in (ROOT / folder).glob("*.yml"))


def _runs() -> list[str]:
    from benchrig.results.store import LATEST, names

    return [LATEST, *sorted(names(ROOT / "reports"), reverse=True), *_stems("configs/published")()]


def _own_runs() -> list[str]:
    """Return the names of runs alone, without published figures."""
    from benchrig.results.store import LATEST, names

    return [LATEST, *sorted(names(ROOT / "reports"), reverse=True)]


def _removable() -> list[str]:
    from benchrig.results.store import names

    return sorted({*names(ROOT / "reports"), *_sessions()}, reverse=True)


def _labelled() -> list[str]:
    return [*_own_runs(), *_sessions()]


def _rows() -> list[str]:
    from benchrig.results.index import known_rows

    return known_rows(ROOT / "reports")


def _metrics() -> list[str]:
    from benchrig.report.metrics import METRICS

    return [metric.claimed for metric in METRICS]


def _columns() -> list[str]:
    from benchrig.report.selection import NAMES

    return [name for name in NAMES if " " not in name]


def _formats() -> list[str]:
    from benchrig.report.output import FORMATS

    return [*FORMATS]


def _languages() -> list[str]:
    from benchrig.language import LANGUAGES

    return [*LANGUAGES]


def _references() -> list[str]:
    from benchrig.report.gate import HISTORY

    return [HISTORY, *_runs()]


def _interrupted() -> list[str]:
    from benchrig.results.store import entries

    return [entry.folder.name for entry in entries(ROOT / "reports") if not entry.is_complete][::-1]


def _sessions(*, unfinished: bool = False) -> list[str]:
    from benchrig.results import sessions

    found = sessions.folders(ROOT / "reports")[::-1]
    return [folder.name for folder in found if not (unfinished and sessions.is_finished(folder))]


def _planned_rows() -> list[str]:
    """Return the names of the rows of all suites that can be read, as far as they are written one by one."""
    from benchrig import yamlfile

    names: list[str] = []
    for path in sorted((ROOT / "configs" / "suites").glob("*.yml")):
        with suppress(InputError):
            data = yamlfile.read(path).data
            rows = data.get("rows") if isinstance(data, dict) else None
            names += [str(row["name"]) for row in rows or () if isinstance(row, dict) and "name" in row]
    return names


def _running() -> list[str]:
    from benchrig.results.running import running

    return [str(state.pid) for state in running(ROOT)]


def _these(*values: str) -> Callable[[], list[str]]:
    return lambda: list(values)


VALUES: Mapping[str, Callable[[], list[str]]] = {
    "inventory": _stems("inventory"),
    "suite": _stems("configs/suites"),
    "profile": _these("quick", "paper", "rigorous"),
    "run": _runs,
    "resume": _interrupted,
    "watch.run": _running,
    "ssh.run": _these(),
    "label.run": _labelled,
    "export.run": _own_runs,
    "publish.run": _own_runs,
    "runs": _removable,
    "ab.resume": lambda: _sessions(unfinished=True),
    "ab.show": _sessions,
    "variants": _planned_rows,
    "a": _runs,
    "b": _runs,
    "more": _runs,
    "row": _rows,
    "metric": _metrics,
    "against": _references,
    "lang": _languages,
    "sort": _columns,
    "columns": _columns,
    "format": _formats,
    "kind": _these("app"),
    "shell": _these("bash", "zsh", "fish"),
}
"""What completes a parameter of any task, or of one task alone."""

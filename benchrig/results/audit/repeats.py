"""Warnings about the repeats of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Value, Warning, number


def repeat_warnings(measured: Sequence[Cell], missed: Sequence[Cell], run: Run) -> Iterator[Warning]:
    """Return the warnings about the repeats of a row: some were not measured, or the run was resumed between them."""
    yield from _resumed(measured, run)
    if measured and missed:
        values: dict[str, Value] = {
            "missing": number(len(missed)),
            "repeats": number(len(measured) + len(missed)),
            "reason": missed[0].reason,
        }
        yield Warning(Code.REPEAT_MISSING, missed[0].host, values, invalid=True)


def _resumed(measured: Sequence[Cell], run: Run) -> Iterator[Warning]:
    """Warn when a row's repeats were measured before and after an interruption, or conditions changed in between."""
    changed = dict.fromkeys(one for part in run.parts for one in part.changed)
    repeats: dict[int, list[int]] = {}
    for cell in measured:
        repeats.setdefault(cell.part, []).append(cell.repeat)
    if not measured or not (changed or len(repeats) > 1):
        return
    said = "; ".join(f"{ranges(numbers)} in part {part}" for part, numbers in sorted(repeats.items()))
    values: dict[str, Value] = {"case": "changed" if changed else "same", "repeats": said}
    yield Warning(
        Code.RESUMED, measured[0].host, values | ({"changed": "; ".join(changed)} if changed else {}), invalid=bool(changed)
    )


def ranges(numbers: Sequence[int]) -> str:
    """Return numbers of repeats in words: `repeat 2`, `repeats 1 to 3`, `repeats 1 to 3, 5`."""
    found: list[list[int]] = []
    for repeat in sorted(numbers):
        if found and repeat == found[-1][-1] + 1:
            found[-1].append(repeat)
        else:
            found.append([repeat])
    words = ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in found)
    return f"repeat{'' if len(numbers) == 1 else 's'} {words}"

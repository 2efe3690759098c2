"""`./inv audit --json`: one object for each text, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from benchrig.bench.generators.base import Pasted, Printed, Spread, Unread
from benchrig.console import CONTROLS
from benchrig.report.sentences import sentence
from benchrig.report.texts.judge import Judged, Unchecked, Verdict
from benchrig.report.texts.source import Source
from benchrig.report.texts.written import expected_errors
from benchrig.results.codes import Code
from benchrig.results.spoils import Spoils
from benchrig.results.warnings import Value

_ESCAPES = {code: json.dumps(chr(code))[1:-1] for code in CONTROLS}


@dataclass(frozen=True, kw_only=True)
class TextWarning:
    """A warning about a text."""

    code: Code
    values: Mapping[str, Value]
    """What it rests on; a number has its unit with it."""
    spoils: tuple[Spoils, ...]
    invalid: bool
    """It makes the text invalid."""
    text: str
    """Its sentence."""


@dataclass(frozen=True, kw_only=True)
class TextRecord:
    """A text that was audited; or a file without one, which is `refused` and has no lines."""

    file: str
    first_line: int | None
    last_line: int | None
    verdict: Verdict
    invalid: bool
    """Figures of it must not be used."""
    refused: str | None
    """Why it cannot be judged; null where it can."""
    figures: Mapping[str, float | str | bool | list[Any] | None]
    """What it says, by names that end with the unit: `latency_p99_ms`. Figures that it does not have are left out."""
    warnings: tuple[TextWarning, ...]
    not_checked: tuple[Unchecked, ...]
    """Checks that it does not permit."""
    unread: tuple[Unread, ...]
    """Lines within it that could not be read, with their numbers in the file."""


def render_json(sources: Iterable[Source]) -> str:
    """Return the texts of all files as JSON, each in a line of its own."""
    lines = [json.dumps(asdict(one), ensure_ascii=False, allow_nan=False, default=_value) for one in records(sources)]
    return "\n".join(line.translate(_ESCAPES) for line in lines)


def records(sources: Iterable[Source]) -> Iterable[TextRecord]:
    """Yield a record of each text, and of each file that has none."""
    for source in sources:
        if source.refused:
            yield TextRecord(
                file=source.name,
                first_line=None,
                last_line=None,
                verdict=Verdict.UNREADABLE,
                invalid=False,
                refused=source.refused,
                figures={},
                warnings=(),
                not_checked=(),
                unread=(),
            )
        yield from (_record(source.name, judged) for judged in source.texts)


def _record(file: str, judged: Judged) -> TextRecord:
    pasted = judged.pasted
    return TextRecord(
        file=file,
        first_line=pasted.first_line,
        last_line=pasted.last_line,
        verdict=judged.verdict,
        invalid=judged.verdict is Verdict.INVALID,
        refused=pasted.refused or None,
        figures={
            name: value for name, value in {**figures(pasted.printed), **_exact(pasted)}.items() if value not in (None, "")
        },
        warnings=tuple(
            TextWarning(
                code=warning.code,
                values=warning.values,
                spoils=tuple(spoiled for spoiled in Spoils if spoiled in warning.spoils),
                invalid=warning.invalid,
                text=sentence(warning),
            )
            for warning in judged.warnings
        ),
        not_checked=judged.unchecked,
        unread=pasted.unread,
    )


def figures(printed: Printed) -> dict[str, Any]:
    """Return the figures of a text by names with their units, in the order in which it has them."""
    asked, errors, command = printed.asked_seconds, printed.errors, printed.command
    return {
        "url": printed.url,
        "asked_seconds_min": asked[0] if asked else None,
        "asked_seconds_max": asked[1] if asked else None,
        "threads": printed.threads,
        "connections": printed.connections,
        "rate_asked_per_second": command.requests_per_second,
        "timeout_seconds": command.timeout_seconds,
        "pipeline": command.pipeline,
        **{
            f"{_names(row)}_{name}": value
            for row, spread in printed.rows.items()
            for name, value in _spread(row, spread).items()
        },
        **{f"latency_{_percentile(name)}_ms": value / 1e3 for name, value in printed.percentiles_us.items()},
        **{f"uncorrected_latency_{_percentile(name)}_ms": value / 1e3 for name, value in printed.uncorrected_us.items()},
        "spectrum": _spectrum(printed.spectrum),
        "uncorrected_spectrum": _spectrum(printed.uncorrected_spectrum),
        "requests": printed.requests,
        "duration_seconds": printed.duration_seconds,
        "bytes": printed.bytes,
        "errors_connect": errors.connect,
        "errors_read": errors.read,
        "errors_write": errors.write,
        "errors_timeout": errors.timeout,
        "errors_status": errors.status,
        "requests_per_second": printed.requests_per_second,
        "bytes_per_second": printed.bytes_per_second,
        "constant_rate": printed.open_loop,
        "interrupted_by_key": printed.interrupted,
    }


def _exact(pasted: Pasted) -> dict[str, float]:
    """Return what our own script wrote below a text of ours."""
    if not pasted.load:
        return {}
    own, found = pasted.load.measured, {"errors_status_expected": float(expected_errors(pasted.load))}
    if own:
        found |= {"measured_latency_mean_ms": own.mean_us / 1e3}
        found |= {f"measured_latency_{_percentile(name)}_ms": value / 1e3 for name, value in own.percentiles_us.items()}
    return found


def _spectrum(points: Iterable[tuple[float, float, float]]) -> list[dict[str, float]] | None:
    return [{"latency_ms": at / 1e3, "percent": 100 * share, "replies": seen} for at, share, seen in points] or None


def _names(row: str) -> str:
    return "requests_per_second_and_thread" if row == "req/sec" else row.replace(" ", "_")


def _spread(row: str, spread: Spread) -> dict[str, float | None]:
    """Return a row of the statistics; one of times in milliseconds."""
    unit, divisor = ("", 1.0) if row == "req/sec" else ("_ms", 1e3)
    values = {"mean": spread.mean, "stdev": spread.stdev, "max": spread.max, "min": spread.min}
    values |= {_percentile(name): value for name, value in spread.percentiles.items()}
    found = {f"{name}{unit}": None if value is None else value / divisor for name, value in values.items()}
    return {**found, "within_stdev_percent": spread.within_stdev_percent}


def _percentile(name: str) -> str:
    return f"p{name.replace('.', '_')}"


def _value(found: object) -> object:
    if isinstance(found, Enum):
        return found.value
    raise TypeError(f"not a value of a text: {found!r}")

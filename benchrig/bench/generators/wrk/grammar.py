"""The parts of what wrk and wrk2 print, found anywhere in a text: in lines as they were, or wrapped and joined anew.

Every pattern has bounds, so that reading takes time in proportion to the length of any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from benchrig.bench.generators.base import OutputError
from benchrig.bench.generators.wrk.pasted import FENCE
from benchrig.bench.generators.wrk.words import COUNT, LARGE, NUMBER

_W = r"\s{1,200}"
_w = r"\s{0,200}"
_H = r"[^\S\n]"
_N = r"\d[\d,]{0,25}"
_TIME = rf"{NUMBER}(?:ns|us|[µμ]s|ms|s|m|h)"

_PARTS = {
    "header": rf"\bRunning{_W}(?P<asked>\S{{1,20}}){_W}test{_W}@{_H}{{0,50}}(?P<url>\S{{0,2000}})",
    "making": rf"\bMaking{_W}{COUNT}{_W}requests{_W}to{_H}{{0,50}}(?P<making>\S{{0,2000}})",
    "threads": rf"(?<![\d,.])(?P<of_threads>{_N}){_W}threads?{_W}and{_W}(?P<of_connections>{COUNT}){_W}connections?\b"
    rf"(?:{_W}with{_W}desired{_W}rate{_W}(?P<desired>{COUNT}))?",
    "calibration": rf"Thread{_W}calibration:{_w}mean{_W}lat\.:{_W}{NUMBER}\s?\w{{0,4}},{_W}rate{_W}sampling{_W}interval:"
    rf"{_W}{_N}\s?\w{{0,4}}",
    "columns": rf"Thread{_W}Stats(?P<names>(?:{_W}(?:(?:\+/-|±){_w}Stdev|Avg|Mean|Stdev|Max|Min)(?![\w/])|"
    rf"{_H}{{1,200}}(?!Latency|Req/Sec)[A-Za-z0-9_.%/+-]{{1,20}}){{1,12}})",
    "row": rf"(?<![\w/])(?P<name>Latency|Req/Sec|Connect|TTFB|TTLB){_W}(?=[-+]?(?:\d|nan\b|nan\w|inf))",
    "distribution": rf"Latency{_W}Distribution(?:{_w}\({_w}HdrHistogram{_w}-{_w}(?P<which>Recorded|Uncorrected){_W}Latency"
    rf"(?:{_w}\([^()]{{0,200}}\))?{_w}\))?",
    "spectrum": rf"Detailed{_W}Percentile{_W}spectrum:?|Value{_W}Percentile{_W}TotalCount{_W}1/\(1-Percentile\)",
    "point": rf"(?<![\w.])(?P<at>\d{{1,15}}\.\d{{1,9}}){_H}{{1,60}}(?P<share>[01]\.\d{{3,15}}){_H}{{1,60}}(?P<seen>{_N})"
    rf"{_H}{{1,60}}(?:\d{{1,20}}\.\d{{1,9}}|inf\b)",
    "footer": rf"#?\[(?:Mean|Max|Buckets){_w}={_w}[^\[\]\n]{{1,200}}\]",
    "total": rf"(?<![\w,.;'’])(?P<requests>{COUNT}){_W}requests{_W}in{_W}(?P<ran>{_TIME}),?{_W}"
    rf"(?P<bytes>{NUMBER}[A-Z]?B){_W}read\b",
    "errors": rf"Socket{_W}errors:"
    rf"(?P<kinds>(?:{_w},?{_w}(?:connect|read|write|timeouts?){_w}[:=]?{_w}{COUNT}(?!\w)){{1,6}})",
    "status": rf"Non-2xx(?:{_W}or{_W}3xx)?{_W}responses:{_w}(?P<other>{COUNT})(?!\w)",
    "rate": rf"Requests/sec:{_w}(?P<rate>(?:{LARGE}|{NUMBER})[A-Z]?)(?![A-Za-z0-9_'’]|[.,]\d)(?!(?<!\.\d\d) \d{{3}}\b)",
    "transfer": rf"Transfer/sec:{_w}(?P<transfer>{NUMBER}[A-Z]?B)\b",
    "percentile": rf"(?<![\w.-])(?P<percent>\d{{1,3}}(?:[.,]\d{{1,6}})?)%{_W}(?P<value>{_TIME}|[-+]?nan)(?![\w%])",
    "key": r"\^C",
    "other_program": rf"{_N}{_W}(?P<go>goroutine)\(s\){_W}running|"
    rf"\b(?P<bombardier>Bombarding){_W}\S{{1,2000}}{_W}(?:for|with)\b",
    "fence": FENCE,
}
_ANY = re.compile("|".join(f"(?P<{kind}_>{pattern})" for kind, pattern in _PARTS.items()), re.IGNORECASE)
_VALUE = re.compile(rf"\s{{0,200}}({NUMBER}[A-Za-zµμ]{{0,3}}%?)(?![\w.%/,])", re.IGNORECASE)
_NAME = re.compile(r"(?:\+/-|±)\s{0,200}\S+|\S+")
_KIND = re.compile(rf"(connect|read|write|timeout)s?{_w}[:=]?{_w}({COUNT})", re.IGNORECASE)

COLUMNS: tuple[str, ...] = ("Avg", "Stdev", "Max", "+/- Stdev")
"""wrk's own, for a text whose line of names is missing."""


@dataclass(frozen=True)
class Part:
    """A part of a text: its kind, the words in it by their names, and where it is."""

    kind: str
    words: dict[str, str]
    start: int
    end: int


def parts(text: str) -> Iterator[Part]:
    """Yield the parts of what wrk prints in a clean text, in their order."""
    offset, names = 0, COLUMNS
    while match := _ANY.search(text, offset):
        kind = str(match.lastgroup).removesuffix("_")
        words = {name: word for name, word in match.groupdict().items() if word is not None and not name.endswith("_")}
        part = Part(kind, words, match.start(), match.end())
        if kind in ("header", "making", "threads"):
            names = COLUMNS
        elif kind == "columns":
            names = column_names(words["names"])
        elif kind == "row":
            values, end = _values(text, match.end(), names)
            part = Part(kind, {**words, **dict(zip(names, values, strict=False))}, match.start(), end)
        offset = max(part.end, match.start() + 1)
        if kind != "row" or len(part.words) == 1 + len(names):
            yield part


def column_names(written: str) -> tuple[str, ...]:
    """Return the names of the columns in the line `Thread Stats`."""
    return tuple(dict.fromkeys("+/- Stdev" if name.startswith(("+/-", "±")) else name for name in _NAME.findall(written)))


def error_counts(written: str) -> dict[str, str]:
    """Return the counts in the line `Socket errors` by their kinds. Raises OutputError for a kind that is there twice."""
    found = _KIND.findall(written)
    if len({kind.lower() for kind, _ in found}) < len(found):
        raise OutputError("a kind of error is there twice")
    return {kind.lower(): number for kind, number in found}


def _values(text: str, offset: int, names: tuple[str, ...]) -> tuple[list[str], int]:
    """Return the values behind the name of a row, one for each column as far as they go, and where they end."""
    values: list[str] = []
    for name in names:
        match = _VALUE.match(text, offset)
        # In wrapped lines, the values may go on in the next one, in which something else may begin too.
        if not match or ("%" in match[1] and not name.startswith("+/-")):
            break
        values.append(match[1])
        offset = match.end()
    return values, offset

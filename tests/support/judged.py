"""A text without a fault, made with some of its lines changed, and what is found in it."""

from __future__ import annotations

from collections.abc import Mapping

from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.generators.wrk.printed import find_printed
from benchrig.report.sentences import sentence
from benchrig.report.texts import Judged, judge
from benchrig.results.codes import Code
from benchrig.results.warnings import Warning

LINES: Mapping[str, str] = {
    "header": "Running 30s test @ http://192.0.2.7/",
    "threads": "  4 threads and 100 connections",
    "columns": "  Thread Stats   Avg      Stdev     Max   +/- Stdev",
    "latency": "    Latency    50.10ms    8.20ms 190.00ms   80.00%",
    "rate": "    Req/Sec   500.10     31.00   600.00     70.00%",
    "p": "  Latency Distribution\n     50%   49.00ms\n     75%   54.00ms\n     90%   60.00ms\n     99%   79.00ms",
    "total": "  60030 requests in 30.01s, 9.21MB read",
    "errors": "",
    "status": "",
    "persec": "Requests/sec:   2000.33",
    "transfer": "Transfer/sec:    314.26KB",
}
"""A text without a fault; by Little's law, its mean is 50 ms."""


def a_text(**changes: str) -> str:
    return "\n".join(line for line in {**LINES, **changes}.values() if line) + "\n"


def judged(text: str, pipeline: int | None = None) -> Judged:
    (pasted,) = find_printed(text)
    assert pasted.unread == ()
    return judge(pasted, DEFAULT, pipeline)


def found(text: str, pipeline: int | None = None) -> dict[Code, Warning]:
    return {warning.code: warning for warning in judged(text, pipeline).warnings}


def said(code: Code, text: str) -> str:
    return sentence(found(text)[code])


def invalid(text: str) -> set[Code]:
    return {code for code, warning in found(text).items() if warning.invalid}


SOCKET = "  Socket errors: connect {}, read {}, write 0, timeout {}"

"""The reader and the judge of pasted texts, fuzzed: any text is read or named, in bounded time, without a traceback."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchrig.bench.generators.registry import DEFAULT
from benchrig.report import texts
from tests.support.faults import fault
from tests.support.fuzz import damaged_texts, examined
from tests.support.texts import SHAPES, WRK, WRK2

pytestmark = pytest.mark.faults


def audited(content: bytes) -> None:
    """Read a file with this content, judge it, and render all that was found."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        source = texts.read(file.name, DEFAULT)
    assert source.texts or source.refused
    assert texts.render_terminal([source])
    assert texts.render_json([source])
    for judged in source.texts:
        pasted = judged.pasted
        assert 1 <= pasted.first_line <= pasted.last_line
        assert all(pasted.first_line <= unread.line <= pasted.last_line for unread in pasted.unread)


@fault(
    "Input",
    done="a text of wrk or wrk2, pasted in one of fifty shapes, cut short or with other words in it, or any bytes",
    promised="`./inv audit` reads it, names each line that it cannot read, or refuses it with the reason",
    seen="no traceback and no wait",
)
@given(text=damaged_texts(WRK, WRK2, *SHAPES.values()))
def test_damaged_pasted_text(text: str) -> None:
    examined(lambda: audited(text.encode(errors="surrogatepass")))


@given(content=st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    examined(lambda: audited(content))


NUMBERS = st.sampled_from(["0", "1", "2", "0.00", "9" * 19, "9" * 30, "1,000", "1.5", "-nan", "nan", "inf", "-1", "1e9"])


@given(st.lists(NUMBERS, min_size=14, max_size=14), st.sampled_from(["us", "ms", "s", "m", ""]))
def test_any_figures(words: list[str], unit: str) -> None:
    threads, connections, mean, stdev, most, p50, p99, requests, ran, connect, late, status, rate, transfer = words
    text = f"""\
Running {ran}s test @ http://192.0.2.7
  {threads} threads and {connections} connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   {mean}{unit}   {stdev}{unit}   {most}{unit}    50.00%
  Latency Distribution
     50%   {p50}{unit}
     99%   {p99}{unit}
  {requests} requests in {ran}s, {transfer}KB read
  Socket errors: connect {connect}, read {late}, write 0, timeout {late}
  Non-2xx or 3xx responses: {status}
Requests/sec: {rate}
Transfer/sec: {transfer}KB
"""
    examined(lambda: audited(text.encode()))

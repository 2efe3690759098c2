"""Texts of wrk and wrk2 with figures made up for the tests, and the shapes in which people paste them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping

WRK = """\
Running 20s test @ http://192.0.2.7:8080/things?a=1&copy=2
  4 threads and 80 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   641.20ms  371.55ms   1.61s    64.02%
    Req/Sec    31.90     14.10    90.00     70.55%
  Latency Distribution
     50%  600.10ms
     75%    0.91s \n\
     90%    1.20s \n\
     99%    1.52s \n\
  2500 requests in 20.04s, 1.21MB read
  Socket errors: connect 0, read 3, write 1, timeout 2
  Non-2xx or 3xx responses: 5
Requests/sec:    124.75
Transfer/sec:     61.83KB
"""

FIGURES = {
    "threads": 4,
    "connections": 80,
    "latency_mean_ms": 641.2,
    "latency_stdev_ms": 371.55,
    "latency_max_ms": 1610.0,
    "latency_within_stdev_percent": 64.02,
    "latency_p50_ms": 600.1,
    "latency_p75_ms": 910.0,
    "latency_p90_ms": 1200.0,
    "latency_p99_ms": 1520.0,
    "requests_per_second_and_thread_mean": 31.9,
    "requests_per_second_and_thread_max": 90.0,
    "requests": 2500,
    "duration_seconds": 20.04,
    "errors_connect": 0,
    "errors_read": 3,
    "errors_write": 1,
    "errors_timeout": 2,
    "errors_status": 5,
    "requests_per_second": 124.75,
}
"""What each shape of WRK says."""

WRK2 = """\
Running 30s test @ http://192.0.2.7/
  2 threads and 60 connections
  Thread calibration: mean lat.: 3.211ms, rate sampling interval: 12ms
  Thread calibration: mean lat.: 3.102ms, rate sampling interval: 11ms
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.05ms    1.10ms  14.22ms   71.20%
    Req/Sec   511.00     60.20   777.00     80.10%
  Latency Distribution (HdrHistogram - Recorded Latency)
 50.000%    2.98ms
 75.000%    3.61ms
 90.000%    4.33ms
 99.000%    6.20ms
 99.900%    9.91ms
 99.990%   13.80ms
 99.999%   14.23ms
100.000%   14.23ms

  Detailed Percentile spectrum:
       Value   Percentile   TotalCount 1/(1-Percentile)

       0.611     0.000000            1         1.00
       2.981     0.500000        10020         2.00
      14.231     1.000000        20001          inf
#[Mean    =        3.051, StdDeviation   =        1.101]
#[Max     =       14.224, Total count    =        20001]
#[Buckets =           27, SubBuckets     =         2048]
----------------------------------------------------------

  Latency Distribution (HdrHistogram - Uncorrected Latency (measured without taking delayed starts into account))
 50.000%  812.00us
 99.000%    1.91ms
100.000%    3.10ms

  Detailed Percentile spectrum:
       Value   Percentile   TotalCount 1/(1-Percentile)

       0.211     0.000000            1         1.00
       3.101     1.000000        20001          inf
#[Mean    =        0.851, StdDeviation   =        0.301]
#[Max     =        3.100, Total count    =        20001]
#[Buckets =           27, SubBuckets     =         2048]
----------------------------------------------------------
  30002 requests in 30.00s, 8.11MB read
Requests/sec:   1000.05
Transfer/sec:    276.80KB
"""


def each_line(text: str, change: Callable[[str], str]) -> str:
    """Return a text with each of its lines changed."""
    return "\n".join(map(change, text.splitlines())) + "\n"


def _wrapped(text: str) -> str:
    """Return a text whose lines were joined and wrapped anew, as some editors do with a comment."""
    words = text.split()
    lines = [" ".join(words[start : start + 7]) for start in range(0, len(words), 7)]
    return "\n".join(lines).replace("Thread\nStats", "Thread Stats")


def _table(text: str) -> str:
    """Return a text whose statistics are a Markdown table."""
    rows = {
        "  Thread Stats   Avg      Stdev     Max   +/- Stdev": """\
| Thread Stats | Avg | Stdev | Max | +/- Stdev |
|---|---|---|---|---|""",
        "    Latency   641.20ms  371.55ms   1.61s    64.02%": "| Latency | 641.20ms | 371.55ms | 1.61s | 64.02% |",
        "    Req/Sec    31.90     14.10    90.00     70.55%": "|Req/Sec|31.90|14.10|90.00|70.55%|",
    }
    for line, row in rows.items():
        text = text.replace(line, row)
    return text


def _columns(text: str, names: str, latency: str, rate: str) -> str:
    lines = text.splitlines()
    lines[2:5] = [f"  Thread Stats {names}", f"    Latency {latency}", f"    Req/Sec {rate}"]
    return "\n".join(lines) + "\n"


def _coloured(line: str) -> str:
    return re.sub(r"(\d[\d.]*)", "\x1b[1;32m\\1\x1b[0m", line)


SHAPES: Mapping[str, str] = {
    "as it is": WRK,
    "without the last line's end": WRK.rstrip(),
    "CRLF": WRK.replace("\n", "\r\n"),
    "CR alone": WRK.replace("\n", "\r"),
    "no trailing blanks": each_line(WRK, str.rstrip),
    "trailing blanks": each_line(WRK, lambda line: f"{line}   "),
    "no indentation": each_line(WRK, str.strip),
    "deep indentation": each_line(WRK, lambda line: f"            {line}"),
    "tabs": each_line(WRK, lambda line: re.sub(r" {2,}", "\t", line)),
    "non-breaking spaces": WRK.replace(" ", "\xa0"),
    "figure and ideographic spaces": WRK.replace("  ", "\u2007\u3000"),
    "zero-width spaces": WRK.replace("  ", " \u200b "),
    "byte order mark": f"\ufeff{WRK}",
    "blank lines between": WRK.replace("\n", "\n\n"),
    "Markdown fence": f"# Title\n\n```text\n{WRK}```\n\nMore words.\n",
    "Markdown fence in a list": each_line(f"1. First:\n\n```\n{WRK}```", lambda line: f"   {line}"),
    "Markdown quotation": each_line(WRK, lambda line: f"> {line}"),
    "quotation in a quotation": each_line(WRK, lambda line: f"> > {line}"),
    "mail": each_line(WRK, lambda line: f">> {line}"),
    "bold counts": WRK.replace("2500 requests", "**2500** requests").replace("timeout 2", "timeout **2**"),
    "inline code": each_line(WRK, lambda line: f"`{line}`"),
    "Markdown table": _table(WRK),
    "table of lines": each_line(WRK, lambda line: f"| {line} | |"),
    "HTML pre": f"<pre><code class=\"language-sh\">{html.escape(WRK)}</code></pre>",
    "HTML breaks": f"<p>{html.escape(WRK.replace(chr(10), '@@')).replace('@@', '<br/>')}</p>",
    "HTML breaks in lines": html.escape(WRK).replace("\n", "<br>\n"),
    "HTML entities for blanks": html.escape(WRK).replace(" ", "&nbsp;"),
    "HTML numeric entities": WRK.replace("&", "&#38;").replace("  ", "&#160;&#xa0;"),
    "HTML with coloured numbers": re.sub(
        r"(?<![\w.&])(\d+)(?=[^<>]*\n)", r'<span class="n">\1</span>', html.escape(WRK).replace("192.0.2.7:8080", "h")
    ),
    "HTML table cells": WRK.replace("    Latency   641.20ms  371.55ms   1.61s    64.02%",
        "<tr><td>Latency</td><td>641.20ms</td><td>371.55ms</td><td>1.61s</td><td>64.02%</td></tr>"),
    "ANSI colours": each_line(WRK, _coloured),
    "terminal title": f"\x1b]0;wrk\x07$ \x1b[?2004l\n{WRK}\x1b[?2004h$ ",
    "docker compose": each_line(WRK, lambda line: f"bench_1        | {line}"),
    "time stamps": each_line(WRK, lambda line: f"2024-05-06T07:08:09.1234567Z {line}"),
    "C comment": f"/*\n{each_line(WRK, lambda line: f' * {line}')} */\n",
    "hash comment": each_line(WRK, lambda line: f"# {line}"),
    "slash comment": each_line(WRK, lambda line: f"// {line}"),
    "diff": each_line(WRK, lambda line: f"+{line}"),
    "JSON text": json.dumps({"raw": WRK}),
    "wrapped anew": _wrapped(WRK),
    "on one line": " ".join(WRK.split()),
    "prompt before it": f"$ wrk -t4 -c80 -d20s --latency 'http://192.0.2.7:8080/things'\n{WRK}$ ",
    "prompt on its line": f"user@host ~ % wrk -t4 -c80 -d20s --latency http://192.0.2.7:8080/things {WRK}",
    "script's summary behind it": f"{WRK}------\nSummary:\n  Total: 2500\n  Requests/sec: 99\nSocket errors: connect 9\n",
    "log before it": f"Running the tests late\nLatency is fine\n1 threads of thought\n{WRK}",
    "thousands": WRK.replace("2500 requests", "2,500 requests"),
    "decimal comma": WRK.replace("641.20ms", "641,20ms").replace("1.61s", "1,61s"),
    "micro sign": WRK.replace("600.10ms", "600100µs"),
    "five columns": _columns(
        WRK, "Avg Stdev Max Min +/- Stdev", "641.20ms 371.55ms 1.61s 1.20ms 64.02%", "31.90 14.10 90.00 1.00 70.55%"
    ),
    "columns in another order": _columns(
        WRK, "Min Max Avg +/- Stdev Stdev", "1.20ms 1.61s 641.20ms 64.02% 371.55ms", "1.00 90.00 31.90 70.55% 14.10"
    ),
    "percentiles with digits": re.sub(r"(\d\d)%  ", r"\1.00%  ", WRK),
    "more rows": WRK.replace("    Req/Sec", "    Connect   1.20ms  0.10ms   2.10ms    60.00%\n    Req/Sec"),
    "plus-minus sign": WRK.replace("+/- Stdev", "± Stdev"),
    "words in capitals": WRK.replace("Requests/sec", "REQUESTS/SEC"),
}  # fmt: skip
"""WRK as it is pasted: each has the same figures."""

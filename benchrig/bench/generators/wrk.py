"""The load generator wrk: its command line, and the Lua script that checks every reply and prints exact figures.

wrk rounds what it prints and hides what goes wrong; its `done` hook has the exact figures, and its `response` hook sees
every reply. The script uses both and ends with one line: the marker and a JSON object.
"""

from __future__ import annotations

from benchrig.bench.app import Check
from benchrig.bench.generators.load import LoadGenerator, Shape
from benchrig.results.wrk_output import MARKER, PERCENTILES, read_load


def command(shape: Shape, url: str) -> tuple[str, ...]:
    """Return wrk's command line; `{script}` in it stands for the file with `script(check)`."""
    timeout = () if shape.timeout_seconds is None else ("--timeout", f"{shape.timeout_seconds:g}s")
    load = (f"-t{shape.threads}", f"-c{shape.connections}", f"-d{shape.duration_seconds:g}s")
    return ("wrk", *load, *timeout, "--latency", "-s", "{script}", url)


def script(check: Check) -> str:
    """Return the Lua script that holds every reply against `check`."""
    percentiles = ", ".join(f'"{p}"' for p in PERCENTILES)
    return (
        _SCRIPT.replace("@STATUS@", str(check.status))
        .replace("@BODY@", _lua_text(check.body))
        .replace("@PERCENTILES@", percentiles)
        .replace("@MARKER@", MARKER)
    )


def _lua_text(text: str) -> str:
    """Return a Lua string literal: every byte that is not plain is written as a decimal escape."""
    plain = (chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\{b:03d}" for b in text.encode())
    return '"' + "".join(plain) + '"'


# Each thread of wrk has Lua globals of its own; `done` runs in the main one and asks the threads for theirs.
_SCRIPT = r"""
local threads = {}
local find = string.find
checked, wrong, example = 0, 0, ""

function setup(thread)
  threads[#threads + 1] = thread
end

function response(status, headers, body)
  checked = checked + 1
  if status ~= @STATUS@ or not find(body, @BODY@, 1, true) then
    wrong = wrong + 1
    if wrong == 1 then
      example = status .. " " .. string.sub(body, 1, 200)
    end
  end
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "0" end
  return string.format("%.3f", value)
end

local function text(value)
  return '"' .. string.gsub(value, '[^ !#-%[%]-~]', function(c) return string.format("\\u%04x", string.byte(c)) end) .. '"'
end

function done(summary, latency, requests)
  local all_checked, all_wrong, one = 0, 0, ""
  for _, thread in ipairs(threads) do
    all_checked = all_checked + thread:get("checked")
    all_wrong = all_wrong + thread:get("wrong")
    if one == "" then one = thread:get("example") end
  end
  local percentiles = {}
  for i, p in ipairs({@PERCENTILES@}) do
    percentiles[i] = string.format('"%s": %s', p, number(latency:percentile(tonumber(p))))
  end
  local e = summary.errors
  print(string.format(
    '@MARKER@{"requests": %d, "duration_us": %d, "bytes": %d, ' ..
    '"errors": {"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}, ' ..
    '"latency": {"min_us": %s, "max_us": %s, "mean_us": %s, "stdev_us": %s, "percentiles_us": {%s}}, ' ..
    '"replies_checked": %d, "replies_wrong": %d, "wrong_example": %s}',
    summary.requests, summary.duration, summary.bytes,
    e.connect, e.read, e.write, e.timeout, e.status,
    number(latency.min), number(latency.max), number(latency.mean), number(latency.stdev), table.concat(percentiles, ", "),
    all_checked, all_wrong, text(one)))
end
"""


WRK = LoadGenerator(
    program="wrk",
    default_timeout_seconds=2.0,
    spare_files=32,
    command=command,
    script=script,
    read_load=read_load,
)

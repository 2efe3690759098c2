"""Damaged input for readers: real files that are changed where their structure is, odd texts in them, and any bytes.

`examined` runs a reader on one input, within bounds of time and memory, and says what it may raise.
"""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from benchrig.errors import BenchrigError

LONGEST_SECONDS = 20.0
"""CPU time of one example. A reader takes milliseconds; a limit of one that is slow takes a few seconds."""

MOST_BYTES = 2 << 30
"""What the process may take beyond what it has."""

ODD_TEXTS = (
    "", " ", "\n", "\0", "\x1b[31m", "\x9b2J", "\u202eabc", "\ufeff",
    "é" * 300, "x" * 5000, "../../../etc/passwd", "/etc/passwd",
    "/dev/zero", "-oProxyCommand=x", "{{ x }}", "{{", "{% for %}", "{bin}", "%n", "%s", "'", '"', "`",
    "$(id)", "a\nb", "a: b",
    "[a]", "*", "&a", "!", "nan", "-inf", "1e999", "0x" + "f" * 200, "9" * 5000, "9" * 19, "-1", "0",
    "1:1:1", "2001-99-99", "=1+1",
    "http://h:99999", "http://[::1", "host[1:99999999]", "5s", "1h 2m", "٣", "|<>&", "yes", "~", "null", "{}",
)  # fmt: skip

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 65536, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, float("inf"), float("nan"),
    [], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": []}}}, {1: 2}, {None: None}, list(range(300)), *ODD_TEXTS,
)  # fmt: skip

ODD_YAML = (
    "!!int x", "!!float x", "!!bool x", "!!timestamp x", "!!timestamp 2001-99-99", "!!binary =",
    "!!set {a}", "!!python/none x",
    "!vault x", "&a [*a]", "*nobody", "<<: *nobody", "{<<: [1]}", "? [a] : b", "'", '"', "{", "]", "\t",
    "%YAML 9.9", "---", "...",
    "\0", "\x85", "\ufeff",
    "9" * 5000, "[" * 3000, "- " * 3000, "? " * 3000, "a: " * 50, "0x" + "f" * 300, "1" + ":1" * 500, "=", "|",
    ">9", "'\\ud800'", '"\\ud800"', '"\\uffff"', "\ud800",
)  # fmt: skip


def _places(data: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value of a document."""
    yield place
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from _places(value, (*place, key))


def _changed(data: Any, place: tuple[Any, ...], change: str, value: Any) -> Any:
    """Return a copy of a document with one value replaced, removed, renamed, doubled or put into a list."""
    if not place:
        return value
    copy = deepcopy(data)
    within = copy
    for key in place[:-1]:
        within = within[key]
    last = place[-1]
    if change == "remove":
        del within[last]
    elif change == "rename" and isinstance(within, dict):
        within[value if isinstance(value, str) else "other"] = within.pop(last)
    elif change == "double" and isinstance(within, list):
        within.append(within[last])
    elif change == "wrap":
        within[last] = [within[last]]
    else:
        within[last] = value
    return copy


@st.composite
def documents(draw: st.DrawFn, seeds: list[Any]) -> Any:
    """Draw a document, YAML's or JSON's, that differs from one of the seeds in one to three values."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from([*_places(data)][:3000]))
        change = draw(st.sampled_from(["replace", "replace", "replace", "remove", "rename", "double", "wrap"]))
        data = _changed(data, place, change, draw(st.sampled_from(ODD_VALUES)))
    return data


@st.composite
def texts(draw: st.DrawFn, seeds: list[str], odd: tuple[str, ...] = ODD_TEXTS) -> str:
    """Draw a text that differs from one of the seeds in one to three places: cut, doubled, or with an odd text in it."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 80)))
        change = draw(st.sampled_from(["insert", "insert", "replace", "cut", "double", "end"]))
        word = draw(st.sampled_from(odd) | st.text(max_size=8))
        middle = {
            "insert": word + text[start:end],
            "replace": word,
            "cut": "",
            "double": text[start:end] * 2,
            "end": text[start:end],
        }
        text = text[:start] + middle[change] + ("" if change == "end" else text[end:])
    return text


def yaml_files(*paths: Path) -> st.SearchStrategy[bytes]:
    """Return a strategy of damaged YAML files: real ones changed in their structure or their text, and any bytes."""
    written = [path.read_text(encoding="utf-8") for path in paths]
    seeds = [yaml.safe_load(text) for text in written]
    dumped = documents(seeds).map(lambda data: yaml.dump(data, allow_unicode=True, sort_keys=False))
    changed = dumped | dumped | texts(written, (*ODD_YAML, *ODD_TEXTS))
    return changed.map(lambda text: text.encode(errors="surrogatepass")) | st.binary(max_size=60)


def json_files(*written: str) -> st.SearchStrategy[bytes]:
    """Return a strategy of damaged JSON texts, likewise."""
    dumped = documents([json.loads(text) for text in written]).map(lambda data: json.dumps(data, default=str))
    changed = dumped | dumped | texts([*written], (*ODD_YAML, *ODD_TEXTS, '"\\ud800"', "NaN", "Infinity"))
    return changed.map(lambda text: text.encode(errors="surrogatepass")) | st.binary(max_size=60)


def damaged_texts(*written: str) -> st.SearchStrategy[str]:
    """Return a strategy of damaged texts of programs: of real ones, and any characters."""
    return texts([*written]) | st.text(max_size=60)


@contextmanager
def bounded() -> Iterator[None]:
    """Fail what takes too long or too much memory, also where it would not come back by itself."""

    def late(*_: object) -> None:
        raise AssertionError(f"it took {LONGEST_SECONDS:g} s of CPU time")

    with open("/proc/self/statm") as file:  # noqa: PTH123 (read for each example)
        taken = int(file.read().split()[0]) * resource.getpagesize()
    before, handler = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGVTALRM, late)
    resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_BYTES, before[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


def examined(read: Callable[[], object], *refusals: type[Exception], place: str = "") -> object:
    """Return what a reader makes of an input; None when it refuses it, by a BenchrigError or one of `refusals`.

    A refusal has a reason of bounded length, and names `place`.
    """
    with bounded():
        try:
            return read()
        except (BenchrigError, *refusals) as error:
            said = str(error)
            assert said.strip(), "no reason"
            assert len(said) < 100_000, f"{len(said)} characters"
            assert place in said, f"no place: {said[:500]}"
            return None

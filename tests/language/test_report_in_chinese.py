"""A report in Chinese has no English but names, units, programs and commands: nothing that a report says was forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

import pytest

from benchrig.language import Text, later, use
from benchrig.report import EXPORTS, Report, catalogue, claims, describe, load, render_terminal, sentences
from benchrig.report.charts import charts
from benchrig.report.output import FORMATS
from benchrig.report.servers import beside_first
from benchrig.report.table import of_published
from benchrig.report.verdict import Answer, Cause, Outcome, Reason, Verdict, Why, Word
from benchrig.results.codes import Code
from benchrig.results.model import Network
from benchrig.results.warnings import Number, Unit, Warning, number
from tests.support import ROOT
from tests.support.reports import VERDICTS, a_cell, a_report, every_kind, on_machines, repeats_of

_WORD = re.compile(r"[A-Za-z][A-Za-z]+")

_ABBREVIATIONS = (
    "CPU CPUs TCP TIME WAIT SMT NUMA ms GiB MiB KiB GB Gbit Mbit JSON CSV HTML SVG PNG Markdown md csv json html"
)
_PROGRAMS = "benchrig wrk inv bench report claims PostgreSQL Welch steal sleep seconds app yml pin pipeline expect less"
_PROPER = "UTC cgroup Web OpenResty Golang Openresty Lua uvicorn uvloop eventlet"

_KNOWN = frozenset(f"{_ABBREVIATIONS} {_PROGRAMS} {_PROPER}".split(" "))
"""Units, programs, files, flags, and abbreviations that are the same in Chinese."""

_COMMAND = re.compile(r"^ *(?:\./inv|wrk) .*$|\./inv [a-z]+[^。，；）\n]*|^```(?s:.*?)^```$|\S*…\S*", re.MULTILINE)


class _Visible(HTMLParser):
    """The text of a page that a reader sees or hears, without code and scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden = 0
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "script", "pre", "code")
        self.texts += [value or "" for name, value in attrs if name in ("aria-label", "title", "alt", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script", "pre", "code")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.texts.append(data)


def _names(report: Report) -> frozenset[str]:
    """Return the words of what reports show of others: rows, systems, machines, the article, claims' expressions."""
    table = report.table
    found: list[object] = [table.name, table.not_run, table.run]
    if table.source:
        source = table.source.source
        found += [str(source.machine), source.command, source.versions]
    for row in table.rows:
        found += [
            row.name,
            row.system,
            row.host,
            row.route,
            row.reason,
            row.versions,
            row.command,
            row.raw,
            row.timeout_seconds,
        ]
        found += [value for warning in row.warnings for name, value in warning.values.items() if name != "case"]
    found += [(verdict.claim, verdict.expression) for verdict in report.verdicts]
    return frozenset(word for text in _texts(found) for word in _WORD.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Text):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _texts([getattr(value, field.name) for field in fields(value)])


def _english(text: str, names: frozenset[str]) -> list[str]:
    """Return the lines of a text with an English word that is no name."""
    words = _KNOWN | names
    lines = _COMMAND.sub("", text).splitlines()
    return [
        f"{left}: {line.strip()}" for line in lines if (left := [one for one in _WORD.findall(line) if one not in words])
    ]


def _published() -> Report:
    return load("web-frameworks", ROOT)


def _with_claims() -> Report:
    """Return a run's report in which every kind of row is judged by the article's claims."""
    report = every_kind()
    return replace(report, verdicts=_judged(report))


def _judged(report: Report) -> tuple[Verdict, ...]:
    drawn = claims.read("web-frameworks", ROOT)
    assert drawn
    assert report.table.source
    return claims.judge(drawn, report.table, of_published(report.table.source))


def _repeated() -> Report:
    """Return the report of a run of several repeats, which differ, on machines that share a computer."""
    cells = [
        *repeats_of("go-2000", 96_000, 97_000, 60_000, 96_500, 96_200, 96_100),
        *repeats_of("sanic", 90_000, 91_000, 99_000, 90_500, 102_000, 90_100, system="Sanic"),
    ]
    run = on_machines("lab", "lab1", "load1")
    changes = {"machines": run.machines, "servers": run.servers, "settings": replace(run.settings, repeats=6)}
    return a_report("go-2000", "sanic", cells=cells, **changes)


def _interrupted() -> Report:
    return a_report("go-2000", "sanic", cells=[a_cell()], finished_at="")


def _servers() -> Report:
    """Return the report of a run on two servers, which another machine loaded; they are compared."""
    hosts = ("one", "two")
    cells = [
        replace(cell, host=host, load_on_server=False)
        for host, more in zip(hosts, (1.0, 1.2), strict=True)
        for cell in repeats_of("go-2000", *(round(more * count) for count in (90_000, 91_000, 92_000)))
    ]
    run = on_machines("vagrant", *hosts, "load1")
    networks = tuple(Network("load1", host, 85.0, 140.0, 9.41e9) for host in hosts)
    made = a_report("go-2000", cells=cells, machines=run.machines, servers=hosts, networks=networks)
    return replace(made, table=beside_first(made.table))


REPORTS = {
    "published": _published,
    "every kind": _with_claims,
    "repeated": _repeated,
    "interrupted": _interrupted,
    "quart": lambda: load("quart-vs-flask", ROOT),
    "stored by version 1": lambda: load(ROOT / "tests" / "cases" / "results" / "v1", ROOT),
    "stored by version 2": lambda: load(ROOT / "tests" / "cases" / "results" / "v2", ROOT),
    "several servers": _servers,
}


@pytest.mark.parametrize("kind", REPORTS)
def test_the_terminal_is_chinese(kind: str) -> None:
    report = REPORTS[kind]()
    with use("zh"):
        assert _english(render_terminal(report), _names(report)) == []
        narrow, names = render_terminal(report, width=80), _names(report)
    # A long name is broken in a narrow column.
    parts = {word for word in _WORD.findall(narrow) if any(word in name for name in names)}
    assert _english(narrow, names | parts) == []


@pytest.mark.parametrize("kind", REPORTS)
def test_markdown_is_chinese(kind: str) -> None:
    report = REPORTS[kind]()
    with use("zh"):
        assert _english(EXPORTS["report.md"](report), _names(report)) == []


@pytest.mark.parametrize("kind", REPORTS)
def test_the_page_is_chinese(kind: str) -> None:
    report = REPORTS[kind]()
    with use("zh"):
        page = EXPORTS["report.html"](report)
    assert '<html lang="zh">' in page
    assert _english("\n".join(_Visible(page).texts), _names(report)) == []


@pytest.mark.parametrize("kind", REPORTS)
def test_files_for_programs_are_english_whatever_the_language(kind: str) -> None:
    report = REPORTS[kind]()
    english = {form: FORMATS[form](report) for form in ("json", "csv", "junit")}
    with use("zh"):
        again = REPORTS[kind]()
        assert {form: FORMATS[form](again) for form in english} == english
    assert not re.search(
        r"[\u4e00-\u9fff]", json.dumps([asdict(one)["reason"] for one in report.verdicts], ensure_ascii=False)
    )


@pytest.mark.parametrize(("code", "case"), [(code, case) for code in Code for case in code.sentences])
def test_every_warning_is_chinese(code: Code, case: str) -> None:
    names = ("GET /a", "GET /b", "lab1")
    units = {"timeout": Unit.SECONDS, "rate": Unit.REQUESTS_PER_SECOND, "share": Unit.PERCENT}
    values = {
        name: names if spec in ("and", "or") else Number(2, 5, units.get(name, Unit.COUNT))
        for name, _, spec in catalogue.fields(code.sentences[case])
    }
    warning = Warning(code, "lab1", {"case": case, **values}, seen_in=number(2), repeats=number(3))
    known = frozenset({"GET", "lab1", "lab", "wrk2"})
    with use("zh"):
        assert _english(sentences.sentence(warning), known) == []
        assert _english(sentences.title(code), known) == []


@pytest.mark.parametrize("why", Why)
def test_every_reason_is_chinese(why: Why) -> None:
    facts = (later("{row} is not in this run", row="go"), later("no reason given"))
    for more in (
        {"supports": True, "within_percent": 3.0, "excluded_percent": 2.0, "assumed": True},
        {"supports": False, "repeats": 1},
        {},
    ):
        reason = Reason(why, facts, **{"repeats": 3, "needed": 6, "command": "./inv bench", **more})  # type: ignore[arg-type]
        with use("zh"):
            assert _english(sentences.reason(replace(VERDICTS[0], reason=reason)), frozenset({"go"})) == []


@pytest.mark.parametrize("cause", [None, *Cause])
@pytest.mark.parametrize("answer", Answer)
def test_every_outcome_is_chinese(answer: Answer, cause: Cause | None) -> None:
    found = Outcome(answer, cause, ("A", "B"), (Code.CEILING, Code.STEAL), 1, 3)
    with use("zh"):
        assert _english(sentences.outcome(found), frozenset()) == []


def test_the_articles_own_headings_are_used_in_its_language() -> None:
    with use("zh"):
        text = render_terminal(_published())
    assert "平均响应时间" in text
    assert "每秒请求量" in text


def test_the_page_calls_a_thing_by_one_name_and_punctuates_as_chinese_does() -> None:
    report = _published()
    with use("zh"):
        page = " ".join(_Visible(EXPORTS["report.html"](report)).texts)
        for chart in (one for of_kind in charts(every_kind()).values() for one in of_kind):
            for text in (chart.title, chart.about, chart.guide, chart.more):
                assert not re.search(r"[。；：，、] |[:;] ", text), text
    assert [word for word in ("每秒请求量", "响应时间", "P99") if word in page] == []


def test_names_of_versions_limits_and_layers_are_chinese_where_they_are_words() -> None:
    machine = replace(on_machines("lab", "lab1").machines[0], virtualization="systemd-nspawn in kvm")
    row = replace(every_kind().table.rows[0], versions={"event loop": "uvloop 0.17", "HTTP parser": "httptools 0.5"})
    with use("zh"):
        assert describe.virtualization(machine) == "kvm 中的 systemd-nspawn"
        (line,) = describe.what_ran([row])
        assert line.endswith("事件循环 uvloop 0.17、HTTP 解析器 httptools 0.5")
        assert list(describe.in_words({"open files, as far as root can raise it": "1"})) == [
            "打开文件数（root 可提高到的上限）"
        ]
    assert describe.virtualization(machine) == "systemd-nspawn in kvm"


def test_the_command_that_shows_hidden_columns_keeps_the_language() -> None:
    with use("zh"):
        assert "./inv report web-frameworks --lang zh | less -S" in render_terminal(_published(), width=60)
    assert "--lang" not in render_terminal(_published(), width=60)


def test_a_claim_is_told_in_chinese_and_stored_in_english() -> None:
    report = _published()
    with use("zh"):
        assert "Monkey patching" not in EXPORTS["report.md"](report)
        assert "猴子补丁没有任何作用。" in EXPORTS["report.md"](report)
    assert "Monkey patching changes nothing." in EXPORTS["report.json"](report)
    assert {verdict.word for verdict in report.verdicts} <= set(Word)

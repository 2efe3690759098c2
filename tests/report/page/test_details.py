"""The rest of a page: machines side by side with what differs between them, lines to compare, and how to repeat a run."""

from __future__ import annotations

from dataclasses import replace

from benchrig.report import Report
from benchrig.report.page import render
from benchrig.report.page.environment import as_text, environment
from benchrig.results.model import Database
from tests.support.html import Element, tree
from tests.support.reports import a_report, every_kind, on_machines


def _on_two() -> Report:
    run = on_machines("lab", "lab1", "lab2")
    first, second = run.machines
    second = replace(second, kernel="6.5.0-1", sysctls={**second.sysctls, "net.core.rmem_max": "212992"})
    return a_report("go-2000", machines=(first, second))


def _settings(report: Report) -> Element:
    return tree(render(report)).all("div", "settings")[0]


def test_machines_stand_side_by_side_in_groups() -> None:
    table = _settings(_on_two())
    assert [one.text for one in table.one("thead").all("th")] == ["setting or program", "lab1", "lab2"]
    groups = [one.text for one in table.all("th", "group")]
    assert groups == ["Hardware", "System", "Kernel settings", "Limits", "Programs"]
    lines = {row.all("th")[0].text: [cell.text for cell in row.all("td")] for row in table.all("tr") if row.all("td")}
    assert lines["CPU"] == ["Example CPU @ 2.0 GHz"] * 2
    assert lines["wrk"] == ["4.1.0"] * 2


def test_what_differs_is_marked_by_a_sign_and_a_word() -> None:
    table = _settings(_on_two())
    differing = {row.all("th")[0].text: row for row in table.all("tr", "differs")}
    assert set(differing) == {"kernel ≠ differs", "net.core.rmem_max ≠ differs"}
    assert [cell.text for cell in differing["net.core.rmem_max ≠ differs"].all("td")] == ["–", "212992"]
    assert not _settings(a_report("go-2000")).all("tr", "differs")


def test_the_lines_of_text_are_in_one_order_and_can_be_copied() -> None:
    report = _on_two()
    assert report.table.run
    text = as_text(report.table.run.machines)
    first, second = text.split("\n\n")
    assert first.splitlines()[:3] == ["machine: lab1", "kind: lab", "cores: 2"]
    assert [line.partition(":")[0] for line in first.splitlines() if "rmem" not in line] == [
        line.partition(":")[0] for line in second.splitlines() if "rmem" not in line
    ]
    shuffled = replace(report.table.run.machines[1], sysctls=dict(reversed(report.table.run.machines[1].sysctls.items())))
    assert as_text([shuffled]) == second
    block = tree(render(report)).one("details", "lines")
    assert block.one("pre").text == " ".join(text.split())
    assert block.all("button", "copy")


def test_a_setting_of_several_lines_stays_one_line() -> None:
    (machine,) = on_machines("lab", "lab1").machines
    text = as_text([replace(machine, sysctls={"net.ipv4.tcp_mem": "1\t2\n3"})])
    assert "net.ipv4.tcp_mem: 1 2 3" in text.splitlines()


def test_a_published_set_has_no_environment() -> None:
    assert environment(None) is None


def test_a_database_has_its_settings() -> None:
    database = Database("lab1", "films", "15.9", {"shared_buffers": "128MB"}, "abc")
    page = tree(render(a_report("go-2000", database=database)))
    (block,) = [one for one in page.all("section") if "Database films on lab1" in one.text]
    (line,) = block.one("tbody").all("tr")
    assert (line.one("th").text, line.one("td").text) == ("shared_buffers", "128MB")


def test_every_command_can_be_copied() -> None:
    page = tree(render(every_kind()))
    for block in page.all("div", "copied"):
        assert len(block.all("pre")) == len(block.all("button", "copy")) == 1
    commands = [one.one("pre").text for one in page.all("div", "copied")]
    assert any(one.startswith("./inv bench -i lab") for one in commands)
    assert any(one.startswith("# flask-sync wrk -t4") for one in commands)

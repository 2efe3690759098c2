"""Every command that README.md and docs/ show is run, in the order they are shown, in a clean clone.

A block without a language right behind a block of commands is what the last of them prints. Figures may differ, and a line
`…` stands for any lines.
docs/your-own-app.md is followed from top to bottom: its files are written as they stand there, its commands are run.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.agent.play.modules import MODULES, load
from benchrig.bench.app import AppFile, DatabaseFile
from benchrig.bench.rows import MatrixFile, RowFile
from benchrig.bench.traffic import Expect, RouteFile
from benchrig.errors import ExitCode
from benchrig.inventory import Host
from benchrig.provision import subset
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.clone import Clone, Done, copy_project
from tests.support.documented import BLOCKS, PAGES, WALK, Command, agrees, commands, documented

TABLE = re.compile(r"^```\n(system .*?)^```", re.MULTILINE | re.DOTALL)

MAIN_JOB = "./inv provision bench report"
RUNNING_NOW = ("./inv test", "./inv lint", "./inv test --faults")
"""What continuous integration runs, this test among it."""

ENDING = ("./inv down", "./inv destroy")
"""These are run on a machine of their own, for the others still need theirs."""

ANSIBLE = 'ANSIBLE_SSH_ARGS="-F lab.conf" ansible-playbook --check site.yml'


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("web1  running   10.0.3.2:22", "web1  running  192.168.100.17", True),
        ("web1  running  10.0.3.2", "web1  stopped  10.0.3.2", False),
        ("Go    2,000  19,193.39  101.54ms  47%", "Go  2,000  –  1.2s  5%", True),
        ("Go    2,000  19,193.39", "Go  2,000", False),
        ("run 20261121-155233-web-frameworks", "run 20270101-000000-web-frameworks", True),
        ("run 20261121-155233-web-frameworks", "run 20261121-155233-quart-vs-flask", False),
        ("kept 2026-11-21 15:52", "kept 2027-01-01 00:00", True),
        ("lab1 : ok=63 changed=0", "lab1 : ok=7 changed=41", True),
        ("agent 0123456789abcdef", "agent 00ff00ff00ff00ff", True),
        ("p50  p99", "p50  p90", False),
        ("one\ntwo\nthree\nfour", "one\n…\nfour", True),
        ("one\ntwo", "one\n…", True),
        ("one\ntwo", "…\nthree", False),
        ("one\ntwo", "one", False),
    ],
)
def test_output_is_compared_without_its_figures(printed: str, shown: str, same: bool) -> None:
    assert agrees(printed, shown) == same


@pytest.mark.parametrize(
    "command", [one for one in documented() if one.output and "--dry-run" in one.line], ids=lambda command: command.line
)
def test_documented_dry_run_prints_what_is_shown(command: Command) -> None:
    done = inv(*shlex.split(command.line)[1:])
    assert agrees(done.stdout, command.output), done.stdout


def test_main_job_is_the_first_command_shown() -> None:
    assert documented()[0].line == MAIN_JOB


def test_ci_runs_what_the_readme_tells_developers_to_run() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert all(line in script for line in RUNNING_NOW)


def test_readme_fits_two_screens() -> None:
    prose = re.sub(r"^```\n.*?^```", "", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert len(prose.splitlines()) <= 90


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        linked = page.parent / target if target else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), f"{target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_messages_on_the_troubleshooting_page_are_messages_of_the_program() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    shown = re.findall(r"^ {4}(.+)$|^\| ((?!message|-).+?) \| ", page, re.MULTILINE)
    parts = {part.strip(" :'") for message in map("".join, shown) for part in re.split(r"…|\d+", message)}
    assert len(parts) > 60
    program = "\n".join([*_texts(), *(path.read_text() for path in sorted((ROOT / "roles").rglob("*.yml")))])
    assert sorted(part for part in parts if part not in program) == []


def _texts() -> Iterator[str]:
    """Yield every text in the package's sources, with `…` in place of what is filled in."""
    for path in sorted((ROOT / "benchrig").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


@pytest.mark.lab
@pytest.mark.parametrize("command", documented(), ids=lambda command: f"{command.page}: {command.line}")
def test_documented_command_works(clone: Clone, main_job: Done, command: Command, tmp_path: Path) -> None:
    if command.line == MAIN_JOB:
        assert main_job.code == 0, main_job.stderr
        excerpt = TABLE.search((ROOT / "README.md").read_text())
        assert excerpt
        assert re.search(".*".join(map(re.escape, systems(excerpt[1]))), " ".join(systems(main_job.stdout)))
    elif command.line in ENDING:
        own = copy_project(tmp_path)
        assert own.inv("up").code == 0
        assert own.inv(*command.line.split()[1:]).code == 0
        assert "running" not in own.inv("status").stdout
        assert own.inv("destroy").code == 0
    elif command.line not in (*RUNNING_NOW, ANSIBLE):
        done = clone.run(["sh", "-c", command.line], timeout=900)
        # The computer of the tests may be busy, which the doctor says, and a gate may find.
        # No bench runs beside it.
        others = {" doctor": ExitCode.UNFIT, " gate": ExitCode.EXCEEDED, " watch": ExitCode.FAILED}
        also = [code for task, code in others.items() if task in command.line]
        assert done.code in (0, *also), done.stderr
        assert not command.output or agrees(done.stdout, command.output), done.stdout


def systems(table: str) -> list[str]:
    """Return the first column of a run's table, each line of it; the warnings below the table differ between runs."""
    rows = table.partition("\n----")[2].partition("\n\n")[0].splitlines()[1:]
    return [re.split(r" {2,}", row)[0].strip() for row in rows]


@pytest.mark.lab
def test_ansible_finds_nothing_to_change_after_us(clone: Clone, main_job: Done) -> None:
    """Real Ansible is the oracle of our engine; run as docs/roles.md shows it."""
    assert main_job.code == 0
    assert ANSIBLE in [command.line for command in documented()]
    assert clone.inv("provision").code == 0
    done = clone.run(["sh", "-c", f"./inv ssh-config > lab.conf; {ANSIBLE}"], timeout=900)
    assert done.code == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert re.search(r"lab1 +: ok=\d+ +changed=0 +unreachable=0 +failed=0", done.stdout), done.stdout[-3000:]


@pytest.mark.lab
def test_your_own_app_can_be_followed_from_top_to_bottom(clone: Clone, main_job: Done) -> None:
    assert main_job.code == 0
    printed: dict[str, str] = {}
    for language, title, block in BLOCKS.findall(WALK.read_text()):
        if title:
            (clone.root / title).parent.mkdir(parents=True, exist_ok=True)
            (clone.root / title).write_text(block)
        for line in commands(block) if language == "sh" else ():
            done = clone.run(["sh", "-c", line], timeout=900)
            assert done.code == 0, f"{line}\n{done.stdout}{done.stderr}"
            printed[line] = done.stdout
    assert printed["./inv bench --suite shop report"].count("\nShop ") == 4
    assert not [text for text in printed.values() if "failed" in text or "not possible" in text], printed


def test_your_own_app_names_every_key_that_there_is() -> None:
    page = WALK.read_text()
    specified = (AppFile, DatabaseFile, RouteFile, Expect, RowFile, MatrixFile)
    names = {field.name for one in specified for field in dataclasses.fields(one)}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", page)) == []


@pytest.mark.lab
def test_inventory_of_an_existing_host_works_as_docs_show_it(clone: Clone, main_job: Done, lab1: Host) -> None:
    """The example of docs/inventory.md, with the lab machine's address and key in it."""
    assert main_job.code == 0
    example = re.search(r"```yaml\n(all:.*?)```", (ROOT / "docs" / "inventory.md").read_text(), re.DOTALL)
    assert example
    keys = f"    ansible_ssh_private_key_file: {lab1.key_file}\n    benchrig_known_hosts: {lab1.known_hosts}\n  children:"
    text = example[1].replace("192.0.2.10", lab1.address).replace("  children:", keys)
    (clone.root / "inventory" / "mine.yml").write_text(text)
    # Apps that other tests have written since have ports of their own, which are reserved.
    assert clone.inv("provision").code == 0
    done = clone.inv("provision", "-i", "mine")
    assert "web1 : ok=" in done.stderr
    assert (done.code, "changed=0" in done.stderr) == (0, True), done.stderr


def test_roles_page_lists_every_key_module_and_argument_that_is_supported() -> None:
    page = (ROOT / "docs" / "roles.md").read_text()
    specified = [
        subset.PlayKeys,
        subset.TaskKeys,
        subset.LoopControl,
        *(load(name).args for name in MODULES if "set_fact" not in name),
    ]
    names = {field.name for one in specified for field in dataclasses.fields(one)} | {*subset.ACTIONS, *subset.MAGIC}
    assert sorted(name for name in names if f"`{name}`" not in page) == []

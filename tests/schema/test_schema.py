"""The JSON Schemas: those of today's classes, right for every file that benchrig takes, and of some use for a wrong one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from benchrig import inventory, yamlfile
from benchrig.bench.app import Apps, read_app
from benchrig.bench.suite import BenchRequest, plan
from benchrig.cli import scaffold
from benchrig.errors import InputError
from benchrig.report import EXPORTS, Report, load
from benchrig.results import formats, store
from benchrig.schema import documents
from tests.support import ROOT
from tests.support.reports import VERDICTS, a_cell, a_run, every_kind, missing
from tests.support.schema import mistakes

RUNS = sorted(path.parent for path in (ROOT / "tests/cases/results").glob("*/run.json"))
WRITTEN = {
    "app": "apps/*/app.yml",
    "routes": "apps/*/routes.yml",
    "suite": "configs/suites/*.yml",
    "data": "configs/data/*/data.yml",
    "claims": "configs/claims/*.yml",
    "published": "configs/published/*.yml",
    "inventory": "inventory/*.yml",
}
"""The YAML that users write, by the name of its schema."""

FILES = [(name, path) for name, pattern in WRITTEN.items() for path in sorted(ROOT.glob(pattern))]


@pytest.mark.parametrize("name", documents.SCHEMAS)
def test_a_schema_is_that_of_todays_classes(name: str) -> None:
    """When this fails, the classes have changed: `python -m benchrig.schema` writes the schemas anew."""
    assert documents.path(ROOT, name).read_text(encoding="utf-8") == documents.text(name)
    Draft7Validator.check_schema(json.loads(documents.text(name)))


def test_every_schema_is_of_a_kind_of_file() -> None:
    there = {path.name.removesuffix(".schema.json") for path in (ROOT / documents.FOLDER).iterdir()}
    printed = {
        "report",
        "text",
        "comparison",
        "verdicts",
        "history",
        "gate",
        "status",
        "runs",
        "ab",
    }
    assert there == set(documents.SCHEMAS) == {*WRITTEN, "run", "cell", "session", *printed}


@pytest.mark.parametrize(("name", "path"), FILES, ids=lambda value: str(value) if isinstance(value, str) else value.stem)
def test_a_file_of_the_project_fits_its_schema_and_names_it(name: str, path: Path) -> None:
    assert mistakes(name, yamlfile.read(path).data) == []
    assert named(path).resolve() == documents.path(ROOT, name)


def named(path: Path) -> Path:
    """Return the schema that the first line of a file names."""
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match, first
    return path.parent / match[1]


@pytest.mark.parametrize("address", ["", "http://192.0.2.1:8080"])
def test_new_files_fit_their_schemas_and_name_them(tmp_path: Path, address: str) -> None:
    for path in scaffold.new_app(tmp_path, "mine", address):
        if path.suffix == ".yml":
            name = "app" if path.name == "app.yml" else "suite"
            assert named(path).resolve() == documents.path(tmp_path.resolve(), name)
            assert mistakes(name, yamlfile.read(path).data) == []


@pytest.mark.parametrize("folder", RUNS, ids=lambda path: path.name)
def test_a_real_run_fits_its_schemas(folder: Path) -> None:
    run, cells = store.read(folder)
    assert mistakes("run", json.loads(formats.text_of(run))) == []
    assert [mistakes("cell", json.loads(formats.text_of(cell))) for cell in cells] == [[]] * len(cells)
    assert mistakes("report", json.loads(EXPORTS["report.json"](load(folder, ROOT)))) == []


def reports() -> Iterator[Report]:
    yield Report(every_kind().table, VERDICTS)
    yield load("web-frameworks", ROOT)
    yield load("quart-vs-flask", ROOT)


def test_every_kind_of_row_and_verdict_fits_the_schema_of_a_report() -> None:
    for report in reports():
        assert mistakes("report", json.loads(EXPORTS["report.json"](report))) == []


def test_a_record_without_its_format_or_with_a_figure_that_is_text_does_not_fit() -> None:
    run, cell = (json.loads(formats.text_of(one)) for one in (a_run("go-2000"), a_cell()))
    assert mistakes("run", run) == mistakes("cell", cell) == []
    assert mistakes("cell", json.loads(formats.text_of(missing("go", "failed", "it died")))) == []
    assert mistakes("run", {name: value for name, value in run.items() if name != "format"}) != []
    assert mistakes("run", {**run, "settings": {**run["settings"], "duration_seconds": "5 s"}}) != []
    assert mistakes("cell", {**cell, "status": "good"}) != []
    # A later version may have more.
    assert mistakes("cell", {**cell, "weather": "fair"}) == []


APP = """
title: Mine
runtime: system
source: [server.py]
command: "{bin}/python3 server.py"
routes: {home: {path: /}}
"""
SUITE = """
title: Mine
profiles: {quick: {duration: 5s}}
rows: [{name: mine, app: go, connections: 20}]
"""
HOSTS = """
all: {vars: {benchrig_machine: lab}, children: {servers: {hosts: {one: {benchrig_cpus: 2}}}}}
"""


@pytest.mark.parametrize(
    ("name", "good", "old", "new"),
    [
        ("app", APP, "title: Mine", "titel: Mine"),
        ("app", APP, "runtime: system", "runtime: cobol"),
        ("app", APP, "runtime: system", ""),
        ("app", APP, "runtime: system", "runtime: system\nport: 0"),
        ("app", APP, "path: /", "path: home"),
        ("app", APP, "path: /", "path: /, expect: {state: 200}"),
        ("suite", SUITE, "duration: 5s", "duration: soon"),
        ("suite", SUITE, "duration: 5s", "duration: 5s, repeats: 0"),
        ("suite", SUITE, "duration: 5s", "duration: 5s, generator: ab"),
        ("suite", SUITE, "connections: 20", "connections: many"),
        ("suite", SUITE, "rows: [{name: mine, app: go, connections: 20}]", ""),
        ("inventory", HOSTS, "hosts:", "host:"),
    ],
)
def test_an_editor_marks_what_benchrig_refuses(tmp_path: Path, name: str, good: str, old: str, new: str) -> None:
    wrong = good.replace(old, new)
    assert wrong != good
    assert mistakes(name, yaml.safe_load(good)) == []
    assert mistakes(name, yaml.safe_load(wrong)) != []
    take(tmp_path / "good", name, good)
    with pytest.raises(InputError):
        take(tmp_path / "wrong", name, wrong)


def take(root: Path, name: str, text: str) -> None:
    """Have benchrig read a file as it does for a user."""
    folder = {"app": "apps/mine", "suite": "configs/suites", "inventory": "inventory"}[name]
    path = root / folder / ("app.yml" if name == "app" else "mine.yml")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    if name == "app":
        (path.parent / "server.py").touch()
        read_app(path.parent)
    elif name == "suite":
        plan(root, Apps(ROOT), BenchRequest(suite="mine"))
    else:
        inventory.read("mine", root)


def test_every_variable_that_benchrig_reads_from_an_inventory_is_in_its_schema() -> None:
    schema = json.loads(documents.path(ROOT, "inventory").read_text(encoding="utf-8"))
    known = schema["definitions"]["variables"]["anyOf"][0]["properties"]
    texts = [
        path.read_text() for path in (ROOT / "benchrig").rglob("*.py") if not {"schema", "agent", "report"} & {*path.parts}
    ]
    ours = {name for text in texts for name in re.findall(r'"(benchrig_[a-z_]+)"', text)}
    ansibles = {name for text in texts for name in re.findall(r'variables\.get\("(ansible_\w+)"', text)}
    assert {"benchrig_cpus", "ansible_port"} <= ours | ansibles <= {*known}

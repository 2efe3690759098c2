"""Every reader of the user's files, fuzzed: what is wrong is a line with its place, and never a traceback or a wait."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchrig import inventory, provision
from benchrig.bench.app import Apps, read_apps
from benchrig.bench.data import read_data
from benchrig.bench.generators.wrk import pattern
from benchrig.bench.preview import render as render_preview
from benchrig.bench.run import preview
from benchrig.bench.suite import BenchRequest, plan
from benchrig.errors import InputError
from benchrig.mistakes import Mistakes
from benchrig.provision import templates
from benchrig.report import EXPORTS, load, render_terminal
from benchrig.report import claims as judging
from benchrig.report.claims.functions import DIMENSIONS
from benchrig.report.claims.language import Names
from benchrig.report.claims.parser import ExpressionError, parse
from benchrig.report.claims.relations import holds, outlook
from benchrig.report.claims.values import Known, UndefinedError, bounds, point
from tests.support import ROOT
from tests.support.faults import fault
from tests.support.fuzz import damaged_texts, examined, yaml_files

FOLDERS = ("apps", "configs", "inventory", "roles")
SUITE = ROOT / "configs" / "suites" / "web-frameworks.yml"
PUBLISHED = ROOT / "configs" / "published" / "web-frameworks.yml"

pytestmark = pytest.mark.faults

in_project = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project's data, to damage."""
    copied = tmp_path_factory.mktemp("project")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copied / name)
    shutil.copy(ROOT / "site.yml", copied)
    return copied


def with_file(path: Path, content: bytes, read: Callable[[], object], place: str | None = None) -> None:
    """Examine a reader while a file has this content instead of its own; a refusal names `place`, or the file."""
    before = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    try:
        examined(read, place=path.name if place is None else place)
    finally:
        path.unlink() if before is None else path.write_bytes(before)


def use_inventory(path: Path, root: Path) -> None:
    """Read an inventory, and ask all that others ask it."""
    found = inventory.read(str(path), root)
    for host in found.hosts.values():
        assert repr((host.address, host.port, host.user, host.become, host.emulated, host.known_hosts, host.ssh_arguments))
        with suppress(RuntimeError):
            # A home of a user that is none.
            assert host.key_file is None or host.key_file
    assert len(found.matching("all:!nobody")) == len(found.hosts)
    for pattern_of_hosts in ("all", "l*"):
        with suppress(InputError):
            found.limit(pattern_of_hosts)


@fault(
    "Input",
    done="an inventory, or variables beside it, with up to three wrong values (types, names, nesting, tags), or any bytes",
    promised="it is read, or refused with file and line",
    seen="no traceback and no wait",
)
@in_project
@given(content=yaml_files(*sorted((ROOT / "inventory").glob("*.yml"))))
def test_damaged_inventory(root: Path, content: bytes) -> None:
    path = root / "inventory" / "damaged.yml"
    with_file(path, content, lambda: use_inventory(path, root))
    lab = root / "inventory" / "lab.yml"
    variables = root / "inventory" / "host_vars" / "lab1.yml"
    with_file(variables, content, lambda: use_inventory(lab, root), place="inventory/")


@fault(
    "Input",
    done="a suite, an app, a file of routes or a data set that is damaged likewise",
    promised="it is read, or refused with file and line, before anything starts",
    seen="no traceback and no wait",
)
@in_project
@given(content=yaml_files(*sorted((ROOT / "configs" / "suites").glob("*.yml"))))
def test_damaged_suite(root: Path, content: bytes) -> None:
    def read() -> None:
        planned = plan(root, Apps(root), BenchRequest(suite="damaged", profile="quick"))
        render_preview(preview(root, planned, inventory.read("lab", root)))

    with_file(root / "configs" / "suites" / "damaged.yml", content, read, place="")


@in_project
@given(content=yaml_files(*sorted((ROOT / "apps").glob("*/app.yml"))), name=st.sampled_from(["sanic", "go", "films-quart"]))
def test_damaged_app(root: Path, content: bytes, name: str) -> None:
    with_file(root / "apps" / name / "app.yml", content, lambda: read_apps(root))


@in_project
@given(content=yaml_files(*sorted((ROOT / "apps").glob("*/routes.yml"))))
def test_damaged_routes(root: Path, content: bytes) -> None:
    with_file(root / "apps" / "films-flask" / "routes.yml", content, lambda: read_apps(root), place="app")


@in_project
@given(content=yaml_files(*sorted((ROOT / "configs" / "data").glob("*/data.yml"))))
def test_damaged_data_set(root: Path, content: bytes) -> None:
    with_file(root / "configs" / "data" / "films" / "data.yml", content, lambda: read_data(root, "films"))


@fault(
    "Input",
    done="published figures or a file of claims that are damaged likewise",
    promised="they are read, or refused with file and line; all reports can be written of them",
    seen="no traceback and no wait",
)
@in_project
@given(content=yaml_files(PUBLISHED))
def test_damaged_published_figures(root: Path, content: bytes) -> None:
    def read() -> None:
        report = load("web-frameworks", root)
        render_terminal(report, 100)
        for export in EXPORTS.values():
            export(report)

    with_file(root / "configs" / "published" / "web-frameworks.yml", content, read, place="configs/")


@in_project
@given(content=yaml_files(*sorted((ROOT / "configs" / "claims").glob("*.yml"))))
def test_damaged_claims(root: Path, content: bytes) -> None:
    def read() -> None:
        judging.render_report(load("web-frameworks", root))

    with_file(root / "configs" / "claims" / "web-frameworks.yml", content, read)


NAMES = Names(DIMENSIONS, truths=("has_timeouts",), document=("sanic", "flask-sync"), others=("go-2000",))
REPEATS = Known(3.0, 2.0, 4.0, sample=(2.0, 3.0, 4.0))
EXPRESSIONS = (
    "throughput(sanic) / throughput(flask-sync) >= 7",
    "has_timeouts(sanic) == yes and throughput(sanic) > max(throughput(flask-*), 3)",
    "((((1 + throughput(sanic)) * 2) - 3) / 4) ~= 5 <= 6",
    "(" * 240 + "throughput(sanic)" + ")" * 240 + " > 1",
    "throughput(sanic) > " + "9" * 400,
    "throughput(sanic) * " + " * ".join(["9" * 18] * 20) + " / throughput(flask-sync) > 1",
    "latency_p99(sanic) - 2 s < 0.2 ms + 5 us and cpu(sanic) < 50 % * cores(sanic)",
    "1 / (throughput(sanic) - throughput(flask-sync)) > min(throughput(*)) / 20000 requests/s",
)


@given(text=damaged_texts(*EXPRESSIONS))
def test_damaged_expression(text: str) -> None:
    def read() -> None:
        expression = parse(text, NAMES)
        holds(expression, {figure: point(3.0) for figure in expression.figures})
        values = dict.fromkeys(expression.figures, REPEATS)
        if holds(expression, values) is None:
            outlook(expression, values, 3)
        for comparison in expression.comparisons:
            for term in comparison.terms:
                bounds(term, values)

    examined(read, ExpressionError, UndefinedError)


@given(
    text=damaged_texts('"id": *(%d+)', "%b()", "[^a-z]", "%f[%a]x", "(.-)(.-)", "[" * 200, "(" * 40),
    body=st.text(max_size=50),
)
def test_damaged_pattern(text: str, body: str) -> None:
    from benchrig.bench.generators.base import PatternError

    def read() -> None:
        pattern.check(text)
        pattern.find(text.encode(errors="replace").decode(), body)

    examined(read, PatternError)


PLAYBOOK = ROOT / "site.yml"
ROLE_FILES = ("tasks", "defaults", "vars", "handlers", "meta")


@fault(
    "Input",
    done="a playbook, or a role's tasks, defaults, variables or handlers, that are damaged likewise",
    promised="they are read, or refused with file and line, before any host is reached",
    seen="no traceback and no wait",
)
@in_project
@given(content=yaml_files(PLAYBOOK))
def test_damaged_playbook(root: Path, content: bytes) -> None:
    with_file(root / "site.yml", content, lambda: prepare(root), place="site.yml")


@pytest.mark.parametrize("kind", ROLE_FILES)
def test_damaged_role(root: Path, kind: str) -> None:
    paths = sorted((ROOT / "roles").glob(f"*/{kind}/main.yml"))
    if not paths:
        pytest.skip("no role has any")

    @given(content=yaml_files(*paths))
    def damage(content: bytes) -> None:
        with_file(root / paths[0].relative_to(ROOT), content, lambda: prepare(root), place="")

    damage()


@fault(
    "Input",
    done="a template or a condition with 5,000 nested brackets",
    promised="it is refused with file and line",
    seen="one line",
)
@pytest.mark.parametrize(
    ("text", "kind"),
    [("{{ " + "[" * 5000, "value"), ("(" * 5000 + "x", "condition"), ("{{ " + "not " * 5000 + "x }}", "value")],
)
def test_template_of_levels_without_end(text: str, kind: str) -> None:
    mistakes = Mistakes()
    examined(lambda: templates.check(mistakes, "main.yml:3", text, kind))
    with pytest.raises(InputError, match=r"^main\.yml:3: not valid Jinja: nested too deeply$"):
        mistakes.raise_all()


def prepare(root: Path) -> None:
    """Read the playbook and its roles, as a provision does before it reaches a host."""
    provision.prepare(inventory.read("lab", root), root / "site.yml")

"""The apps as they lie in `apps/`: complete, pinned, and different from each other only where they mean to be."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

import pytest
import yaml
from ansible.plugins.loader import lookup_loader

from benchrig.bench.app import App, read_app, read_apps
from benchrig.errors import InputError
from tests.support import ROOT

APPS = read_apps(ROOT)
PYTHON_APPS = [app for app in APPS.values() if app.file.runtime == "python"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def source(name: str) -> str:
    app = APPS[name]
    return (app.folder / app.file.source[0]).read_text()


def requirements(app: App) -> list[str]:
    """Return each requirement with its hashes as one line."""
    text = (app.folder / app.file.requirements).read_text().replace("\\\n", "")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def line_of(tree: ast.Module, wanted: str) -> int:
    """Return the line of the top-level statement that unparses to `wanted`."""
    return next(node.lineno for node in tree.body if ast.unparse(node) == wanted)


FIRST_DOCUMENT = {name: app for name, app in APPS.items() if not app.file.database}


def test_every_system_of_the_first_document_is_there() -> None:
    assert set(FIRST_DOCUMENT) == {
        "flask-no-sleep", "flask-sync", "flask-async", "flask-gevent", "flask-gevent-patched",
        "flask-gevent-patched-first", "flask-gunicorn", "go", "fastapi-sync", "fastapi-async", "fastapi-workers",
        "fastapi-gunicorn", "sanic", "openresty",
    }  # fmt: skip


def test_every_app_of_it_listens_on_the_port_of_the_document_and_answers_ok() -> None:
    for app in FIRST_DOCUMENT.values():
        (route,) = app.routes.values()
        assert (app.file.port, route.title, route.status, route.body) == (8080, "GET /health", 200, "ok")


def test_only_its_first_row_does_not_sleep() -> None:
    assert [app.name for app in FIRST_DOCUMENT.values() if app.file.sleep_seconds != 0.1] == ["flask-no-sleep"]


def test_every_app_listens_where_another_machine_finds_it() -> None:
    loopback = re.compile(r"(127\.0\.0\.1|localhost)['\":]")
    for app in APPS.values():
        for name in ("app.yml", *app.file.source):
            assert not loopback.search((app.folder / name).read_text()), f"{app.name}: {name}"


def test_titles_tell_the_apps_apart() -> None:
    titles = [app.file.title for app in APPS.values()]
    assert len(set(titles)) == len(titles)


def test_the_patched_app_imports_sleep_before_it_patches() -> None:
    tree = ast.parse(source("flask-gevent-patched"))
    assert line_of(tree, "from time import sleep") < line_of(tree, "monkey.patch_all()")


def test_the_app_patched_first_patches_before_it_imports_anything_else() -> None:
    first, second, third = ast.parse(source("flask-gevent-patched-first")).body[1:4]
    assert ast.unparse(first) == "from gevent import monkey"
    assert ast.unparse(second) == "monkey.patch_all()"
    assert ast.unparse(third) == "from time import sleep"


def test_code_that_several_apps_share_is_written_once() -> None:
    files = {
        app.folder.joinpath(name).resolve()
        for app in APPS.values()
        for name in (*app.file.source, app.file.requirements)
        if name
    }
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert len(set(digests)) == len(digests)
    assert (APPS["flask-gunicorn"].folder / APPS["flask-gunicorn"].file.source[0]).samefile(ROOT / "apps/flask-sync/app.py")


@pytest.mark.parametrize("app", PYTHON_APPS, ids=lambda app: app.name)
def test_requirements_are_pinned_and_hashed_and_name_no_index(app: App) -> None:
    for requirement in requirements(app):
        assert re.match(r"[a-z0-9-]+==\S+ ", requirement), requirement
        assert HASH.search(requirement), requirement
    assert "://" not in (app.folder / app.file.requirements).read_text()


@pytest.mark.parametrize("app", PYTHON_APPS, ids=lambda app: app.name)
def test_the_distributions_a_report_names_are_among_the_requirements(app: App) -> None:
    assert set(app.file.versions) <= {requirement.partition("==")[0] for requirement in requirements(app)}


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("flask-sync", {"flask==3.0.3", "werkzeug==3.0.6", "gunicorn==23.0.0", "gevent==24.10.3"}),
        ("fastapi-async", {"fastapi==0.115.4", "uvicorn==0.32.0", "uvloop==0.21.0", "httptools==0.6.4", "gunicorn==23.0.0"}),
        ("sanic", {"sanic==24.6.0"}),
    ],
)
def test_the_versions_are_those_of_the_document(name: str, versions: set[str]) -> None:
    assert versions <= {requirement.split(" ")[0] for requirement in requirements(APPS[name])}


def test_both_gunicorn_apps_have_four_workers_and_two_thousand_connections_each() -> None:
    for name in ("flask-gunicorn", "fastapi-gunicorn"):
        assert "-w 4 " in APPS[name].file.command
        assert APPS[name].file.command.endswith("--worker-connections 2000")


def test_nginx_is_tuned_as_in_the_document_but_for_its_backlog() -> None:
    text = " ".join(source("openresty").split())
    for directive in (
        "worker_processes auto;",
        "worker_cpu_affinity auto;",
        "worker_connections 65535;",
        "access_log off;",
        "sendfile on;",
        "keepalive_timeout 65;",
        "listen 8080 deferred backlog=65535;",
        'ngx.sleep(0.1) ngx.print("ok")',
    ):
        assert directive in text


def test_the_role_finds_every_app_by_its_folder() -> None:
    lookup_loader.add_directory(str(ROOT / "roles/app/lookup_plugins"))
    found = lookup_loader.get("glob").run([f"{ROOT}/apps/*/app.yml"])
    assert {Path(path).parent.name for path in found} == set(APPS)


def test_a_source_that_is_too_large_to_be_sent_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    text = "title: x\nruntime: system\ncommand: python3 x\nroutes: {x: {path: /}}\nsource:\n  - large\n"
    (folder / "app.yml").write_text(text)
    with (folder / "large").open("wb") as file:
        file.truncate(64 << 20)
        assert read_app(folder)
        file.truncate((64 << 20) + 1)
    with pytest.raises(InputError, match=r"app.yml:6: 'large' is larger than 64 MiB; no host is sent that"):
        read_app(folder)


HOSTILE = [
    (
        "command",
        "+{bin}/python3 server.py",
        "app.yml:2: 'command' begins with '+{bin}/python3', which is not the name or path",
    ),
    ("command", "!!python3 server.py", "app.yml:2: 'command' begins with '!!python3', which is not"),
    ("command", "'@python3' server.py", "app.yml:2: 'command' begins with '@python3', which is not"),
    ("command", "python3 x\nUser=root", "app.yml:2: 'command' has a line break; write it in one line"),
    ("command", "python3 \x07", "app.yml:2: 'command' has the control character U+0007"),
    ("command", "python3 'x", "app.yml:2: 'command' has a quotation mark or a backslash without its end"),
    ("command", "''", "app.yml:2: 'command' begins with '', which is not the name or path of a program"),
    ("command", " ", "app.yml:2: 'command' is empty"),
    ("title", "x\nUser=root", "app.yml:2: a title is one line of at most"),
    ("environment", {"A": "x\nUser=root"}, "app.yml:3: the value of 'A' has a line break"),
    ("environment", {"A": "\x1b[2J"}, "app.yml:3: the value of 'A' has the control character U+001B"),
    ("environment", {"A": "\ufffe"}, "app.yml:3: the value of 'A' has U+FFFE, no character"),
    ("environment", {"A": "x" * 131_070}, "app.yml:3: 'A' and its value have 131,072 bytes; Linux takes 131,071 at most"),
    (
        "environment",
        {f"A{n}": "x" * 130_000 for n in range(20)},
        "app.yml:2: command and environment have 2,600,267 bytes together; Linux takes 2,031,616 at most",
    ),
    ("environment", {"A B": "x"}, "app.yml:3: 'A B' is not the name of an environment variable"),
    ("environment", {"": "x"}, "app.yml:3: '' is not the name of an environment variable"),
]


@pytest.mark.parametrize(("key", "value", "mistake"), HOSTILE)
def test_what_systemd_would_read_otherwise_is_a_mistake_with_its_line(
    tmp_path: Path, key: str, value: object, mistake: str
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "server.py").touch()
    file = {key: value} | {"routes": {"x": {"path": "/"}}, "runtime": "system", "source": ["server.py"]}
    file = file if key == "title" else file | {"title": "Mine"}
    file = file if key == "command" else file | {"command": "python3 server.py"}
    (folder / "app.yml").write_text("# first\n" + yaml.safe_dump(file, sort_keys=False))
    with pytest.raises(InputError) as caught:
        read_app(folder)
    assert len(caught.value.problems) == 1
    assert mistake in str(caught.value.problems[0])


def test_a_value_of_a_wrong_type_hides_no_other_mistake(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "app.yml").write_text(
        "title: Mine\nruntime: system\ncommand: [a, b]\nport: 70000\nsource: [gone.py]\nroutes: {a: {path: /}}\n"
        "sleep_seconds: x\n"
    )
    with pytest.raises(InputError) as error:
        read_app(folder)
    assert [problem.where.rsplit(":", 1)[1] for problem in error.value.problems] == ["3", "7", "4", "5"]
    assert "needs 'runtime' and 'command'" not in str(error.value)

"""What a row sends: routes of app.yml with their files read, and rows that pick one, mix several or take them in steps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.bench import suite
from benchrig.bench.app import App, Apps, read_app, read_apps
from benchrig.bench.generators.base import Capabilities
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.bench.traffic import read_json
from benchrig.errors import InputError
from tests.support import ROOT

APP = """\
title: Shop
runtime: system
command: /usr/bin/shop
routes:
  list: {path: /items, expect: {json_file: "items.json#/all"}}
  one: {path: /items/1, expect: {json: {id: 1}}}
  buy:
    path: /orders
    method: post
    headers: {Content-Type: application/json}
    bodies: orders.jsonl
    expect: {status: 201, contains: id}
"""

SUITE = """\
title: Shop
profiles:
  quick: {duration: 5s, threads: 2}
rows:
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project's folder with one app of three routes."""
    write(tmp_path, "apps/shop/app.yml", APP)
    write(tmp_path, "apps/shop/items.json", json.dumps({"all": [{"id": 1}, {"id": 2}]}))
    write(tmp_path, "apps/shop/orders.jsonl", '{"item": 1}\n\n{"item": 2}\n')
    return tmp_path


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def planned(root: Path, rows: str, **asked: object) -> Plan:
    write(root, "configs/suites/shop.yml", SUITE + rows)
    return plan(root, read_apps(root), BenchRequest(suite="shop", **asked))


def mistakes(root: Path, rows: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        planned(root, rows)
    return [f"{one.where.rpartition('/')[2]}: {one.message}" for one in caught.value.problems]


def app_mistakes(root: Path, text: str) -> list[str]:
    path = write(root, "apps/shop/app.yml", text)
    with pytest.raises(InputError) as caught:
        read_app(path.parent)
    return [f"{one.where.rpartition('/')[2]}: {one.message}" for one in caught.value.problems]


def test_a_route_has_its_files_read(project: Path) -> None:
    routes = read_app(project / "apps/shop").routes
    assert routes["list"].json == [{"id": 1}, {"id": 2}]
    assert routes["one"].json == {"id": 1}
    buy = routes["buy"]
    assert (buy.title, buy.bodies, buy.status, buy.contains) == (
        "POST /orders",
        ('{"item": 1}', '{"item": 2}'),
        201,
        "id",
    )


def test_each_body_has_the_reply_of_its_line(project: Path) -> None:
    write(project, "apps/shop/replies.txt", "one\n\ntwo\n")
    write(project, "apps/shop/app.yml", APP.replace("contains: id", "bodies: replies.txt"))
    assert read_app(project / "apps/shop").routes["buy"].replies == ("one", "two")


def test_routes_can_stand_in_a_file_that_apps_share(project: Path) -> None:
    write(project, "apps/shop/routes.yml", "list: {path: /items, expect: {json_file: 'items.json#/all/1'}}\n")
    write(project, "apps/other/app.yml", APP.partition("routes:")[0] + "routes: ../shop/routes.yml\n")
    assert read_app(project / "apps/other").routes["list"].json == {"id": 2}


def test_mistakes_in_a_shared_file_are_told_with_its_own_line(project: Path) -> None:
    write(project, "apps/shop/routes.yml", "one: {path: /}\nlist:\n  pth: /items\n")
    assert app_mistakes(project, APP.partition("routes:")[0] + "routes: routes.yml\n") == [
        "routes.yml:3: unknown key 'pth'; did you mean path?",
        "routes.yml:2: 'path' is missing",
    ]


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("path: /items,", "path: items,", "app.yml:5: a path begins with '/', found 'items'"),
        ("items.json#/all", "items.json#/every", "app.yml:5: 'items.json' has nothing at '/every'"),
        ("items.json#/all", "none.json", "app.yml:5: 'none.json' cannot be read: No such file or directory"),
        ("items.json#/all", "orders.jsonl", "app.yml:5: 'orders.jsonl' is not valid JSON: Extra data (line 3, column 1)"),
        ("method: post", "method: p0st", "app.yml:9: 'p0st' is no HTTP method"),
        (
            "bodies: orders.jsonl",
            "bodies: orders.jsonl\n    body: x",
            "app.yml:11: a route has 'body' or 'bodies', not both",
        ),
        (
            "contains: id",
            "contains: id, body: it",
            "app.yml:12: 'expect' has 'body' or 'contains', not both: 'body' is the whole body",
        ),
        (
            "json: {id: 1}",
            "json: {id: 1}, body: '1'",
            "app.yml:6: 'expect' has 'body' or 'json', not both: each of them is the whole body",
        ),
        (
            "contains: id",
            "bodies: orders.jsonl, body: x",
            "app.yml:12: 'expect' has 'body' or 'bodies', not both: each of them is the whole body",
        ),
        ("contains: id", "bodies: items.json", "app.yml:12: 1 replies are expected to 2 bodies"),
        ("status: 201", "status: 100", "app.yml:12: a status is between 200 and 599, not 100"),
        ("    bodies:", "    stores: orders\n    bodies:", "app.yml:11: 'stores' needs the app to have a 'database'"),
        ("/usr/bin/shop", '"{bn}/shop"', "app.yml:3: '{bn}' has no meaning here; did you mean {bin}?"),
        ("command: /usr/bin/shop", "port: 80800\ncommand: x", "app.yml:3: a port is between 1 and 65535, not 80800"),
        (
            "runtime: system\ncommand: /usr/bin/shop",
            "address: shop:80",
            "app.yml:2: 'shop:80' is not of the form http://host:port",
        ),
        (
            "runtime: system",
            "address: http://127.0.0.1:80",
            "app.yml:3: 'command' does nothing for a service that runs already ('address')",
        ),
        (
            "runtime: system\n",
            "",
            "app.yml:1: an app needs 'runtime' and 'command', or the 'address' of a service that runs already",
        ),
    ],
)
def test_a_mistake_in_an_app_is_told_with_its_place(project: Path, was: str, becomes: str, message: str) -> None:
    assert was in APP
    assert message in app_mistakes(project, APP.replace(was, becomes, 1))


def test_routes_that_are_none_are_refused(project: Path) -> None:
    head = APP.partition("routes:")[0]
    assert app_mistakes(project, head + "routes: {}\n") == [
        "app.yml:4: expected requests by name, or a file that has them, found a mapping"
    ]
    assert app_mistakes(project, head + "routes: none.yml\n") == ["app.yml:4: there is no file 'none.yml'"]


def test_an_unknown_data_set_is_told_with_the_nearest(project: Path) -> None:
    write(project, "configs/data/films/data.yml", "")
    write(project, "apps/shop/app.yml", APP + "database: {data: film}\n")
    with pytest.raises(InputError, match=r"app\.yml:13: unknown data set 'film'; did you mean films\?"):
        read_apps(project)


def test_a_table_that_the_data_set_does_not_have_is_told(project: Path) -> None:
    for name, text in (
        ("data.yml", "{title: Films, fingerprint: x, tables: [film, review]}"),
        ("load.sql", ""),
        ("fingerprint.sql", ""),
    ):
        write(project, f"configs/data/films/{name}", text)
    stores = APP.replace("    bodies:", "    stores: reviews\n    bodies:")
    write(project, "apps/shop/app.yml", stores + "database: {data: films}\n")
    with pytest.raises(InputError, match=r"app\.yml:11: unknown table 'reviews'; did you mean review\?"):
        read_apps(project)


def test_json_pointers_reach_into_lists_and_escaped_keys(tmp_path: Path) -> None:
    write(tmp_path, "a.json", json.dumps({"a/b": [{"m~n": 3}]}))
    assert read_json(tmp_path, "a.json#/a~1b/0/m~0n") == 3


def test_a_row_sends_one_route_a_mix_or_steps(project: Path) -> None:
    rows = planned(
        project,
        "  - {name: a, app: shop, route: one, connections: 2}\n"
        "  - {name: b, app: shop, mix: {list: 8, buy: 1}, connections: 2}\n"
        "  - {name: c, app: shop, steps: [buy, list], connections: 2}\n",
    ).rows
    assert [row.traffic.title for row in rows] == [
        "GET /items/1",
        "8x GET /items, 1x POST /orders",
        "POST /orders, then GET /items",
    ]


def test_only_takes_a_route_unless_a_row_has_its_name(project: Path) -> None:
    rows = (
        "  - {name: one, app: shop, route: one, connections: 2}\n"
        "  - {name: b, app: shop, mix: {one: 8, buy: 1}, connections: 2}\n"
    )
    assert [row.name for row in planned(project, rows, only=("one",)).rows] == ["one"]
    assert [row.name for row in planned(project, rows, only=("buy",)).rows] == ["b"]


def test_a_matrix_is_every_app_with_every_route(project: Path) -> None:
    write(project, "apps/shop2/app.yml", APP.partition("routes:")[0] + "routes: {one: {path: /}, list: {path: /l}}\n")
    suite = "matrix: {apps: [shop, shop2], routes: [one, list], connections: 20}\n"
    text = SUITE.replace("rows:\n", suite)
    write(project, "configs/suites/shop.yml", text)
    wanted = plan(project, read_apps(project), BenchRequest(suite="shop"))
    assert [row.name for row in wanted.rows] == ["shop.one", "shop2.one", "shop.list", "shop2.list"]
    only = plan(project, read_apps(project), BenchRequest(suite="shop", only=("list",)))
    assert [row.name for row in only.rows] == ["shop.list", "shop2.list"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            "  - {name: shop, connections: 2}\n",
            ["shop.yml:5: 'shop' has several routes: list, one, buy; name one"],
        ),
        (
            "  - {name: a, app: shop, route: lost, connections: 2}\n",
            ["shop.yml:5: unknown route 'lost'; did you mean list?"],
        ),
        (
            "  - {name: a, app: shop, mix: {one: 0}, connections: 2}\n",
            ["shop.yml:5: the weight of 'one' must be at least 1"],
        ),
        (
            "  - {name: a, app: shop, route: one, steps: [one], connections: 2}\n",
            ["shop.yml:5: a row has one of 'route', 'mix' and 'steps', not route and steps"],
        ),
        (
            "  - {name: a, app: shop, route: one, connections: 2}\n  - {name: b, app: shop, route: one, connections: 2}\n",
            ["shop.yml:6: the app 'shop' is given twice with the same load"],
        ),
        (
            "  - {name: a, app: shop, route: one, connections: 2, script: no.lua}\n",
            ["shop.yml:5: 'no.lua' cannot be read beside the suite: No such file or directory"],
        ),
        (
            "  []\nmatrix: {apps: [shop, shop], routes: [one, lost], connections: 2}\n",
            [
                "shop.yml:6: unknown route 'lost'; did you mean list?",
                "shop.yml:6: the row 'shop.one' is given twice",
                "shop.yml:6: the row 'shop.lost' is given twice",
            ],
        ),
        ("  []\n", ["shop.yml:4: a suite needs at least one row, in 'rows' or by a 'matrix'"]),
    ],
)
def test_a_mistake_in_a_row_is_told_with_its_line(project: Path, rows: str, told: list[str]) -> None:
    assert mistakes(project, rows) == told


def test_a_script_that_does_not_compile_is_refused_before_the_run(project: Path) -> None:
    write(project, "configs/suites/mine.lua", "wrk.method = 'GET'\nfunction request(\n")
    with pytest.raises(InputError, match=r"/mine\.lua:3: <name> or '\.\.\.' expected near '<eof>'"):
        planned(project, "  - {name: a, app: shop, route: one, connections: 2, script: mine.lua}\n")


def test_an_app_that_no_row_uses_may_be_half_written(project: Path) -> None:
    write(project, "apps/later/app.yml", "")
    rows = "  - {name: a, app: shop, route: one, connections: 2}\n"
    write(project, "configs/suites/shop.yml", SUITE + rows)
    assert [app.name for app in plan(project, Apps(project), BenchRequest(suite="shop")).apps] == ["shop"]
    with pytest.raises(InputError, match=r"later/app\.yml:1: "):
        read_apps(project)


def test_the_mistakes_of_an_app_that_rows_use_are_told_once_with_those_of_the_suite(project: Path) -> None:
    write(project, "apps/later/app.yml", "title: Later\n")
    rows = (
        "  - {name: a, app: later, connections: 2}\n"
        "  - {name: b, app: later, connections: 4}\n"
        "  - {name: c, app: latr, connections: 2}\n"
    )
    write(project, "configs/suites/shop.yml", SUITE + rows)
    with pytest.raises(InputError) as caught:
        plan(project, Apps(project), BenchRequest(suite="shop"))
    assert [f"{one.where.rpartition('/')[2]}: {one.message}" for one in caught.value.problems] == [
        "app.yml:1: 'routes' is missing",
        "shop.yml:7: unknown app 'latr'; did you mean later?",
    ]


def test_a_capture_that_no_step_makes_is_refused(project: Path) -> None:
    more = "  login: {path: /login, capture: {token: 'token=(%w+)'}}\n  mine: {path: '/mine/{token}'}\n"
    write(project, "apps/shop/app.yml", APP + more)
    assert planned(project, "  - {name: a, app: shop, steps: [login, mine], connections: 2}\n").rows
    assert mistakes(project, "  - {name: a, app: shop, route: mine, connections: 2}\n") == [
        "shop.yml:5: 'mine' uses {token}, which 'login' captures: take that as a step, too"
    ]


def test_a_capture_that_only_a_later_step_makes_is_refused(project: Path) -> None:
    more = "  login: {path: /login, capture: {token: 'token=(%w+)'}}\n  mine: {path: '/mine/{token}'}\n"
    write(project, "apps/shop/app.yml", APP + more)
    assert mistakes(project, "  - {name: a, app: shop, steps: [mine, login], connections: 2}\n") == [
        "shop.yml:5: 'mine' uses {token}, which 'login' captures: name that before it"
    ]


def test_a_name_in_a_path_that_no_route_captures_is_told_with_the_nearest(project: Path) -> None:
    more = "  make: {path: /orders, capture: {number: '(%d+)'}}\n  look:\n    path: /orders/{nummer}\n"
    assert app_mistakes(project, APP + more) == ["app.yml:15: unknown capture '{nummer}'; did you mean {number}?"]
    assert app_mistakes(project, APP + "  look: {path: '/orders/{id}'}\n") == [
        "app.yml:13: unknown capture '{id}'; known: none"
    ]


def test_braces_in_a_body_are_no_capture_unless_a_route_has_one_of_that_name(project: Path) -> None:
    more = "  query: {path: /graph, method: post, body: '{ user {name} }', capture: {id: '(%d+)'}}\n"
    write(project, "apps/shop/app.yml", APP + more)
    assert planned(project, "  - {name: a, app: shop, route: query, connections: 2}\n").rows


def test_a_capture_that_is_no_lua_pattern_is_told_with_its_line(project: Path) -> None:
    more = "  make:\n    path: /orders\n    capture:\n      number: (%d+\n"
    assert app_mistakes(project, APP + more) == ["app.yml:16: '(%d+' is not a Lua pattern: unfinished capture"]


def test_a_profile_without_a_duration_is_told(project: Path) -> None:
    write(
        project,
        "configs/suites/shop.yml",
        "title: S\nprofiles:\n  quick: {threads: 2}\nrows: [{name: a, app: shop, route: one, connections: 2}]\n",
    )
    with pytest.raises(InputError, match=r"shop\.yml:3: 'duration' is missing"):
        plan(project, read_apps(project), BenchRequest(suite="shop"))


def test_every_app_of_ours_can_be_read_and_has_routes() -> None:
    apps = read_apps(ROOT)
    assert all(isinstance(app, App) and app.routes for app in apps.values())


def test_a_request_whose_reply_wrk_never_takes_is_refused(project: Path) -> None:
    write(project, "apps/shop/app.yml", APP + "  peek: {path: /items, method: head}\n")
    with pytest.raises(InputError, match=r"^'a': the load generator wrk waits for a body after HEAD$"):
        planned(project, "  - {name: a, app: shop, route: peek, connections: 2}\n")


def test_what_the_load_generator_cannot_do_is_refused_before_anything_is_measured(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "GENERATORS", {"wrk": replace(WRK, name="plain", capabilities=Capabilities())})
    write(project, "configs/suites/mine.lua", "")
    rows = """\
  - {name: alone, app: shop, route: one, connections: 2}
  - {name: mixed, app: shop, mix: {one: 2, list: 1}, connections: 2}
  - {name: stepped, app: shop, steps: [one, list], connections: 2}
  - {name: scripted, app: shop, route: one, script: mine.lua, connections: 2}
"""
    with pytest.raises(InputError) as caught:
        planned(project, rows)
    assert str(caught.value).split("\n") == [
        "'mixed': the load generator plain cannot send a mix of routes",
        "'stepped': the load generator plain cannot send routes as steps",
        "'scripted': the load generator plain takes no script",
    ]

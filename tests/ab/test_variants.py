"""The words behind `./inv ab`: what they mean, and what is wrong with them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.ab import variants, varying
from benchrig.ab.commits import Projects, resolve
from benchrig.ab.variants import Asked, choose, parse
from benchrig.bench.suite import BenchRequest
from benchrig.errors import InputError
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.clone import copy_project

LAB = inventory.read("lab", ROOT)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("go-2000", ("", "go-2000", "", "")),
        ("shop:go-2000", ("shop", "go-2000", "", "")),
        ("go-2000@HEAD~1", ("", "go-2000", "HEAD~1", "")),
        ("go-2000@HEAD@{1}", ("", "go-2000", "HEAD@{1}", "")),
        ("shop:go@v1.0%web2", ("shop", "go", "v1.0", "web2")),
    ],
)
def test_a_variant_has_a_row_and_what_is_particular_about_it(text: str, asked: tuple[str, str, str, str]) -> None:
    assert parse(text) == Asked(text, *asked)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "a session compares two variants, A and B; 0 are given"),
        ("go-2000", "a session compares two variants, A and B; 1 is given: go-2000"),
        ("go-2000 sanic openresty-2000", "a session compares two variants, A and B; 3 are given: go-2000, sanic"),
        ("go-2000 openrest-2000", "unknown row 'openrest-2000'; did you mean openresty-2000"),
        ("go-2000 go", "'go' may be any of 2 rows: go-2000, go-20000; name one"),
        ("go-2000 nosuch:go-2000", "unknown suite 'nosuch'; "),
        ("go-2000 go-2000@", "'go-2000@' lacks the commit at '@'; a variant is [SUITE:]ROW[@COMMIT][%HOST]"),
        ("go-2000 @HEAD", "'@HEAD' names no row"),
        ("go-2000 go-2000%web9", "unknown server of inventory 'lab' 'web9'; known: lab1"),
        ("go-2000 go-2000@nosuch", "unknown commit 'nosuch': git has no commit of that name here"),
        ("go-2000 go-2000@--help", "'--help' cannot name a commit"),
        ("go-2000 sanic --boots 0", "--boots: 0 is not between 1 and 1,000"),
        ("go-2000 sanic --boots many", "--boots takes a whole number, not 'many'"),
        ("go-2000 sanic --seed 99999999999", "--seed: 99999999999 is more than 1,000,000,000"),
        ("go-2000 sanic --repeats 0", "--repeats: 0 is not between 1 and 100"),
        ("go-2000 sanic --vary tuning_nofile=1,2", "--vary takes one variant, whose setting it varies; 2 are given"),
        ("go-2000 --vary tuning_nofile", "--vary takes variable=value,value, not 'tuning_nofile'"),
        ("go-2000 --vary tuning_nofile=1", "--vary tuning_nofile=1: it takes two values, as in tuning_nofile=1,2; 1 given"),
        ("go-2000 --vary tuning_nofile=1,2,3,4", "--vary tuning_nofile=1,2,3,4: it takes two values"),
        ("go-2000 --vary tuning_nofile=1,1", "--vary tuning_nofile=1,1: both values are the same"),
        ("go-2000 --vary tuning_nofiles=1,2", "unknown role variable 'tuning_nofiles'; did you mean tuning_nofile"),
        ("go-2000 --vary tuning_sysctls=1,2", "'tuning_sysctls' is a mapping: --vary takes a role variable of one value"),
        ("go-2000 --vary app_only=1,2", "'app_only' is a list: --vary takes a role variable of one value"),
        (
            "go-2000 --vary tuning_somaxconn=a,b",
            "--vary tuning_somaxconn: it takes a whole number, as its default 0, not",
        ),
        ("go-2000 --vary tuning_somaxconn=511,1_000", "--vary tuning_somaxconn: it takes a whole number, as its default 0"),
        (
            "go-2000 --vary tuning_nofile=4096,\u0664\u0660",
            "--vary tuning_nofile: it takes a whole number, as its default",
        ),
        ("go-2000 --vary tuning_nofile=1,01", "--vary tuning_nofile=1,01: both values are the same"),
        ("--show nosuch", "unknown session 'nosuch'; "),
        ("--resume nosuch", "unknown session 'nosuch'; "),
        ("go-2000 sanic --show x", "--show takes a session as it was begun: leave out variants"),
        ("--resume x --boots 3", "--resume takes a session as it was begun: leave out variants"),
        ("--resume x --show x", "--resume measures, and --show only prints: give one of them"),
    ],
)
def test_mistakes_are_told_before_anything_starts(line: str, said: str) -> None:
    done = inv("ab", "-i", "lab", *line.split())
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {said}"), done.stderr
    assert done.stderr.count("\n") <= 3
    assert done.stdout == ""


def test_rows_are_completed() -> None:
    assert "openresty-2000" in inv("--complete", "--", "ab", "go-2000", "").stdout.split()
    assert "--vary" in inv("--complete", "--", "ab", "go-2000", "--v").stdout.split()


def test_a_setting_names_the_roles_that_use_it() -> None:
    assert varying.parse(ROOT, "tuning_somaxconn=511,65535").roles == ("tuning",)
    assert varying.parse(ROOT, "app_nofile = 1024, 4096").values == ("1024", "4096")


def test_variants_of_other_durations_do_not_compare(tmp_path: Path) -> None:
    for name in ("site.yml", "roles", "apps", "inventory"):
        (tmp_path / name).symlink_to(ROOT / name)
    suites = tmp_path / "configs" / "suites"
    suites.mkdir(parents=True)
    for name, seconds in (("one", 5), ("two", 9)):
        (suites / f"{name}.yml").write_text(
            f"title: T\nprofiles: {{quick: {{duration: {seconds}s}}}}\nrows: [{{name: go, app: go, connections: 20}}]\n"
        )
    asked = parse("one:go"), parse("two:go")
    with Projects(tmp_path) as projects:
        with pytest.raises(InputError, match="A and B would not be measured alike: duration 5 and 9"):
            choose(tmp_path, LAB, asked, BenchRequest(), None, projects)
        found = choose(tmp_path, LAB, asked, BenchRequest(duration="3s"), None, projects)
    assert found["B"].plan.duration_seconds == 3


def test_the_apps_of_a_commit_are_those_of_git_whatever_the_files_say(tmp_path: Path) -> None:
    clone = copy_project(tmp_path)

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *words], cwd=tmp_path, check=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    (clone.root / "apps/go/main.go").write_text("package main // another\n")
    asked = parse("go-2000@HEAD"), parse("go-2000")
    with Projects(clone.root) as projects:
        found = choose(clone.root, LAB, asked, BenchRequest(), None, projects)
        committed = (found["A"].project / "apps/go/main.go").read_text()
        assert committed == (ROOT / "apps/go/main.go").read_text()
        assert found["A"].variant.commit == resolve(clone.root, "HEAD")
        assert found["B"].project == clone.root
        assert found["A"].variant.digests != found["B"].variant.digests
        copied = found["A"].project
        git("rm", "-rq", "--cached", "apps/go")
        git("commit", "-qm", "two")
        with pytest.raises(InputError, match=r"commit [0-9a-f]{12} has no app 'go': there is no apps/go/app\.yml in it"):
            choose(clone.root, LAB, asked, BenchRequest(), None, projects)
    assert not copied.exists()


def test_a_commit_needs_a_clone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="commit 'HEAD' cannot be looked up: this is no clone of git"):
        resolve(tmp_path, "HEAD")


def test_a_server_keeps_its_own_load_host(tmp_path: Path) -> None:
    path = tmp_path / "four.yml"
    path.write_text("all:\n  children:\n    servers: {hosts: {w1: , w2: }}\n    loadgens: {hosts: {l1: , l2: }}\n")
    read = inventory.read(str(path), tmp_path)
    assert variants.with_server(read, "w2").groups["loadgens"] == ("l2",)
    path.write_text("all:\n  children:\n    servers: {hosts: {w1: , w2: }}\n    loadgens: {hosts: {l1: }}\n")
    assert variants.with_server(inventory.read(str(path), tmp_path), "w2").groups["loadgens"] == ("l1",)

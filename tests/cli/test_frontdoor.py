"""The command line: what a user mistypes is answered in one line that names it and the nearest valid names."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from invoke import Config, Context

from benchrig.cli import arguments
from benchrig.cli import task as command
from benchrig.errors import Hint, Inv, MachineError
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.clone import Clone, copy_project

SUITE = "configs/suites/quart-vs-flask.yml"
PUBLISHED = "configs/published/quart-vs-flask.yml"
CLAIMS = "configs/claims/quart-vs-flask.yml"
ROUTES = "apps/films-flask/routes.yml"
WHOLE_CHAIN = "provision bench report --suite quart-vs-flask"
MORE = "More: docs/troubleshooting.md#machines"

TASKS = """\
from benchrig.cli.task import command
from benchrig.errors import BenchrigError

@command(words=("run",), help={"run": "which run"})
def say(ctx, run="", inventory="", suite="", profile=""):
    print("say", run, inventory, suite, profile)

@command(iterable=["word"])
def many(ctx, word=None):
    print("many", *word)

@command()
def root(ctx, ask_become_pass=False):
    print("root", ask_become_pass)

@command()
def show(ctx, suite=""):
    yield
    print("show", suite)

@command()
def fail(ctx):
    ctx.chain.failure = BenchrigError("one of two cells failed")

@command()
def two(ctx, a, b):
    print("two", a, b)
"""


def test_listing_the_tasks_loads_nothing_that_only_their_work_needs() -> None:
    program = "import sys, benchrig.cli.program, tasks; print(*sys.modules)"
    argv = [sys.executable, "-c", program]
    loaded = set(subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    assert "benchrig.cli.task" in loaded
    heavy = {"fabric", "jinja2", "lark", "lupa", "paramiko", "tabulate", "benchrig.bench", "benchrig.results.model"}
    assert not loaded & heavy


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["provsion"], "unknown task 'provsion'; did you mean provision"),
        (["provision", "--chek"], "unknown flag '--chek' of task 'provision'; did you mean --check"),
        (["status", "-i", "labb"], "unknown inventory 'labb'; did you mean lab"),
        (["bench", "--suite", "web-framework"], "unknown suite 'web-framework'; did you mean web-frameworks"),
        (["bench", "--profile", "quik"], "unknown profile 'quik'; did you mean quick"),
        (["bench", "--only", "go-200"], "unknown row 'go-200'; did you mean go-2000"),
        (["report", "no-such-run"], "unknown run 'no-such-run'"),
        (["report", "web-framework"], "unknown run 'web-framework'; did you mean web-frameworks"),
        (["claims", "web-framework"], "unknown run 'web-framework'; did you mean web-frameworks"),
        (["compare", "web-framework", "latest"], "unknown run 'web-framework'; did you mean web-frameworks"),
        (["compare", "latest"], "task 'compare' lacks B; see ./inv compare --help"),
        (["report", "--suite", "no-such-suite"], "there is no run of suite 'no-such-suite'"),
        (["new", "ap", "mine"], "unknown kind 'ap'; did you mean app"),
        (["new", "app", "my app"], "'my app' cannot name an app"),
        (["new", "app", "go"], "apps/go: exists already"),
        (["provision", "--limit", "lab2"], "unknown host 'lab2'; did you mean lab1"),
        (["ssh", "--host", "lab2"], "unknown host 'lab2'; did you mean lab1"),
        (["ssh", "lab2"], "unknown host 'lab2'; did you mean lab1"),
        (["-i", "lab", "bench"], "flag '-i' belongs after its task: ./inv bench -i"),
        (["--suite", "web-frameworks"], "flag '--suite' belongs after its task: ./inv "),
        (
            ["bench", "report", "--only", "go-2000"],
            "flag '--only' belongs after its task: ./inv bench --only",
        ),
        (["--hlep"], "unknown flag '--hlep'; did you mean --help"),
        (["--help", "benhc"], "unknown task 'benhc'; did you mean bench"),
        (
            ["bench", "quart-vs-flask"],
            "unknown task 'quart-vs-flask'; did you mean ./inv bench --suite quart-vs-flask?",
        ),
        (["up", "qemu"], "unknown task 'qemu'; did you mean ./inv up --inventory qemu?"),
        (["bench", "--suite", "configs/suites/web-frameworks.yml", "--profile", "quik"], "unknown profile 'quik'"),
        (["report", "--suite", "./configs/suites/no-such-suite.yml"], "there is no run of suite 'no-such-suite'"),
        (["bench", "--suite", "elsewhere/web-frameworks.yml"], "unknown suite 'elsewhere/web-frameworks.yml'"),
        (["provision", "--extra-vars", "nonsense"], "nonsense"),
        (["bench", "--connections", "many"], "--connections takes a whole number, not 'many'"),
        (["bench", "--threads", "0"], "--threads: 0 is not at least 1"),
    ],
)
def test_what_is_mistyped_is_named_in_one_line_with_the_nearest_names(arguments: list[str], named: str) -> None:
    done = inv(*arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_list_tells_the_story_in_order() -> None:
    assert every_task()[:6] == ["up", "provision", "bench", "doctor", "report", "claims"]


def every_task() -> list[str]:
    return [line.split()[0] for line in inv("--list").stdout.splitlines() if line.startswith("  ") and line[2] != " "]


@pytest.mark.parametrize("task", every_task())
def test_help_of_each_task_says_what_it_does_and_gives_an_example(task: str) -> None:
    text = inv("--help", task).stdout
    assert f"Example: ./inv {task}" in text


@pytest.mark.parametrize(
    ("task", "usage"),
    [("claims", "claims [RUN] "), ("report", "report [RUN] "), ("compare", "compare A B "), ("new", "new KIND NAME ")],
)
def test_help_shows_the_words_that_need_no_flag(task: str, usage: str) -> None:
    assert inv("--help", task).stdout.startswith(f"Usage: ./inv {usage}")


def test_help_of_each_task_explains_every_flag() -> None:
    for task in every_task():
        options = inv("--help", task).stdout.partition("Options:")[2]
        lines = [line for line in options.splitlines() if line.startswith("  -")]
        assert lines or options.strip() == "none", task
        assert all(len(line.split("   ")) > 1 for line in lines), task


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["provision", "bench", "report", "--suite", "nosuch"], "unknown suite 'nosuch'"),
        (["provision", "bench", "report", "--profile", "papr"], "unknown profile 'papr'; did you mean paper"),
        (["provision", "bench", "report", "-i", "labb"], "unknown inventory 'labb'; did you mean lab"),
        (["provision", "bench", "--only", "go-200"], "unknown row 'go-200'; did you mean go-2000"),
        (["provision", "bench", "report", "no-such-run"], "unknown run 'no-such-run'"),
    ],
)
def test_mistake_for_a_later_task_is_told_before_the_first_one_works(arguments: list[str], named: str) -> None:
    done = inv(*arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.fixture
def copied(tmp_path: Path) -> Clone:
    """Return a copy of the project, whose files can be spoilt."""
    return copy_project(tmp_path)


def spoilt(copied: Clone, file: str, right: str, wrong: str, line: str) -> str:
    """Put a mistake into a file of the copy, run a command line there, and return the errors; it must end with 2."""
    path = copied.root / file
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong, 1))
    done = inv(*line.split(), cwd=copied.root, root=copied.root, PYTHONPATH=str(copied.root))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        (SUITE, "[film, ", "[flim, ", "unknown route 'flim'; did you mean film or films?"),
        (SUITE, "    duration: 5m\n", "", "'duration' is missing"),
        (SUITE, ": quart-vs-flask", ": quart-vs-flsk", "unknown published figures 'quart-vs-flsk'; did you mean quart-vs-"),
        (PUBLISHED, "second: 330", "second: fast", "expected a number, found 'fast'"),
        (CLAIMS, ") ~= 1160 / 330", ") ~~ 1160 / 330", "column "),
        (
            CLAIMS,
            "throughput(films-flask-pool.film)",
            "thruput(x)",
            "column 1 of the expression: unknown function 'thruput'",
        ),
        (ROUTES, "json#/995", "json#/99999", "'../../configs/data/films/films.json' has nothing at '/99999'"),
    ],
)
def test_mistake_in_any_file_of_a_suite_is_one_line_with_its_place_before_a_machine_is_touched(
    copied: Clone, file: str, right: str, wrong: str, told: str
) -> None:
    stderr = spoilt(copied, file, right, wrong, WHOLE_CHAIN)
    assert re.match(rf"error: {file}:\d+: {re.escape(told)}", stderr), stderr
    assert len(stderr.splitlines()) == 1, stderr


def test_app_that_a_suite_names_twice_is_told_with_its_place(copied: Clone) -> None:
    stderr = spoilt(copied, SUITE, "- films-quart-hypercorn", "- films-quart", WHOLE_CHAIN)
    assert re.match(rf"error: {SUITE}:\d+: the row 'films-quart.film' is given twice\n", stderr), stderr


def test_lua_script_that_does_not_compile_is_told_with_its_line(copied: Clone) -> None:
    (copied.root / "configs/suites/slow.lua").write_text("function delay()\n  return 5 5\nend\n")
    row = "  - name: flask-no-sleep\n"
    suite = "configs/suites/web-frameworks.yml"
    stderr = spoilt(copied, suite, row, f"{row}    script: slow.lua\n", "provision bench report")
    assert stderr.startswith("error: configs/suites/slow.lua:2: ")


def test_mistake_in_published_figures_or_claims_is_told_without_any_run(copied: Clone) -> None:
    for line in ("claims --published", "report quart-vs-flask", "compare quart-vs-flask web-frameworks"):
        stderr = spoilt(copied, PUBLISHED, "second: 330", "second: fast", line)
        assert re.match(rf"error: {PUBLISHED}:\d+: expected a number", stderr), stderr
        copied = copy_project(copied.root)


def test_claims_are_held_to_the_documents_own_figures_without_a_machine() -> None:
    done = inv("claims", "--published")
    assert done.returncode == 0, done.stderr
    assert "59 of 60 figures" in " ".join(done.stdout.split())


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Return the inventory of a host that is not ours and where nothing listens."""
    path = tmp_path / "closed.yml"
    host = "  children: {servers: {hosts: {web1: {ansible_host: 127.0.0.1, ansible_port: 1}}}}\n"
    path.write_text(f"all:\n  vars: {{benchrig_machine: existing}}\n{host}")
    return path


def test_host_that_refuses_is_unreachable_and_not_absent(closed: Path) -> None:
    done = inv("status", "-i", str(closed))
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("web1")] == ["unreachable"]


def test_ssh_that_cannot_connect_ends_with_the_code_for_that(closed: Path) -> None:
    done = inv("ssh", "-i", str(closed), "--run", "true")
    assert (done.returncode, done.stderr.splitlines()[-2][:34]) == (3, "error: web1: ssh ended with 255: t"), done.stderr


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """Return a project with tasks that only say what they were given, and benchrig's own configuration of Invoke."""
    (tmp_path / "tasks.py").write_text(TASKS)
    shutil.copy(ROOT / "invoke.yaml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("say say --suite a", ["say   a ", "say   a "]),
        ("say --suite a say", ["say   a ", "say   a "]),
        ("say --suite a say say --suite b say", ["say   a ", "say   a ", "say   b ", "say   b "]),
        ("say fail --profile p -i i", ["say  i  p"]),
        ("fail --suite a show say", ["show a", "say   a "]),
        ("root root", ["root False", "root False"]),
        ("root fail root --ask-become-pass", ["root True", "root True"]),
        ("show --ask-become-pass root", ["show ", "root True"]),
    ],
)
def test_what_holds_for_the_whole_chain_does_so_wherever_it_is_given(toys: Path, line: str, said: list[str]) -> None:
    assert inv(*line.split(), root=toys).stdout.splitlines() == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("say r", ["say r   "]),
        ("say r say", ["say r   ", "say    "]),
        ("say -s a r", ["say r  a "]),
        ("say --suite=a r", ["say r  a "]),
        ("say --run show say", ["say show   ", "say    "]),
        ("say show", ["say    ", "show "]),
        ("two say show show", ["two say show", "show "]),
        ("many -w say -w -x show", ["many say -x", "show "]),
    ],
)
def test_word_behind_a_task_needs_no_flag_unless_it_names_the_next_task(toys: Path, line: str, said: list[str]) -> None:
    assert inv(*line.split(), root=toys).stdout.splitlines() == said


@pytest.mark.parametrize(
    ("line", "flag"),
    [
        ("say --suite", "--suite"),
        ("say -s --profile p", "-s"),
        ("many --word", "--word"),
        ("many --word a -w", "-w"),
        ("many -w --suite a say", "-w"),
        ("say --suite '' say", "--suite"),
        ("say --suite=", "--suite"),
        ("say --suite= say --profile p", "--suite"),
        ("many -w a --word ''", "--word"),
    ],
)
def test_flag_that_lacks_its_value_is_told_and_nothing_works(toys: Path, line: str, flag: str) -> None:
    done = inv(*shlex.split(line), root=toys)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: flag '{flag}' lacks its value\n")


@pytest.mark.parametrize(
    ("line", "flag"), [("show --profile p", "--profile"), ("show --ask-become-pass fail", "--ask-become-pass")]
)
def test_flag_that_no_task_of_the_chain_knows_is_refused(toys: Path, line: str, flag: str) -> None:
    done = inv(*line.split(), root=toys)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: unknown flag '{flag}' of task 'show'; ")


def test_short_form_of_what_holds_for_the_chain_is_no_other_flags() -> None:
    shown = {task: inv("--help", task).stdout for task in every_task()}
    meant = {"-i": "--inventory", "-s": "--suite", "-p": "--profile", "-a": "--ask-become-pass"}
    short = [found for text in shown.values() for found in re.findall(r"^  (-[ispa])\b.*?(--[\w-]+)", text, re.MULTILINE)]
    assert set(short) == set(meant.items())


def test_second_word_is_no_run(toys: Path) -> None:
    done = inv("say", "r", "shw", root=toys)
    assert (done.returncode, done.stderr) == (2, "error: unknown task 'shw'; did you mean show?\n")


def test_failure_is_told_when_the_rest_of_the_chain_is_done(toys: Path) -> None:
    done = inv("fail", "show", root=toys)
    assert (done.returncode, done.stdout, done.stderr) == (1, "show \n", "error: one of two cells failed\n")


@pytest.mark.parametrize(
    ("inventory", "hint", "said"),
    [
        ("", Hint("Begin anew: ", Inv("destroy", "up")), "Begin anew: ./inv destroy up"),
        ("vagrant", Hint("Begin anew: ", Inv("destroy", "up")), "Begin anew: ./inv destroy up -i vagrant"),
        (
            "my own.yml",
            Hint(Inv("up"), " tries again; ", Inv("destroy", "up"), " begins anew."),
            "./inv up -i 'my own.yml' tries again; ./inv destroy up -i 'my own.yml' begins anew.",
        ),
        (
            "lab",
            Hint("sudo ", Inv("up"), ". ", Hint("Or `", Inv("provision", "-i", "qemu", "bench"), "`.")),
            "sudo ./inv up -i lab. Or `./inv provision -i qemu bench`.",
        ),
        ("lab", Hint(Inv("box", on_inventory=False), " makes one."), "./inv box makes one."),
        ("lab", Hint("The text ./inv up stays as it is."), "The text ./inv up stays as it is."),
    ],
)
def test_a_hint_names_the_inventory_that_the_user_named(inventory: str, hint: Hint, said: str) -> None:
    assert command.render(MachineError("it is gone", hint), inventory) == f"error: it is gone\n{said}\n{MORE}"


def test_each_task_of_a_chain_tells_what_to_do_for_the_inventory_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text("all: {vars: {benchrig_machine: qemu}, hosts: {vm1: }}")
    done = inv("ssh", "-i", str(tmp_path / "one.yml"), "status", "-i", "lab", XDG_CACHE_HOME=str(tmp_path))
    said = f"error: not running: vm1\nStart the machines: ./inv up -i {tmp_path}/one.yml\n"
    assert done.stderr == f"{said}More: docs/troubleshooting.md#machine-not-running\n"


def test_flag_wins_over_configuration() -> None:
    context = Context(Config(overrides={"benchrig": {"inventory": "lab"}}))
    assert arguments.choose(context, "inventory", "") == "lab"
    assert arguments.choose(context, "inventory", "vagrant") == "vagrant"


def test_defaults_come_from_invokes_configuration_and_environment() -> None:
    done = inv("status", INVOKE_BENCHRIG_INVENTORY="elsewhere")
    assert "unknown inventory 'elsewhere'" in done.stderr


def test_inv_works_from_any_folder(tmp_path: Path) -> None:
    assert "provision" in inv("--list", cwd=tmp_path).stdout


def test_plain_invoke_runs_the_same_tasks() -> None:
    invoke = Path(sys.executable).with_name("invoke")
    done = subprocess.run([invoke, "status", "-i", "labb"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown inventory 'labb'; did you mean lab" in done.stderr

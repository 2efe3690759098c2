"""No value of a user reaches systemd as syntax: `unit_line` quotes it, or refuses it."""

from __future__ import annotations

import pytest

from benchrig.agent.play.unit_line import FilterModule, unit_line
from tests.support import ROOT

BIN = "/opt/benchrig/apps/mine/venv-1/bin"

COMMANDS = {
    "{bin}/python app.py": f'"{BIN}/python" "app.py"',
    "python3 -m http.server  8080": '"python3" "-m" "http.server" "8080"',
    "{bin}/app 'two words' \"it's\" a\\ b": f'"{BIN}/app" "two words" "it\'s" "a b"',
    "{bin}/app ''": f'"{BIN}/app" ""',
    "{bin}/app %n %% 100%": f'"{BIN}/app" "%%n" "%%%%" "100%%"',
    "{bin}/app $HOME $$ cost:$5 ${RUNTIME_DIRECTORY} ${1}": (
        f'"{BIN}/app" "$$HOME" "$$$$" "cost:$$5" "${{RUNTIME_DIRECTORY}}" "$${{1}}"'
    ),
    "{bin}/app ; +/bin/sh": f'"{BIN}/app" ";" "+/bin/sh"',
    "{bin}/app '\"' '\\'": f'"{BIN}/app" "\\"" "\\\\"',
    "{bin}/app # no comment": f'"{BIN}/app" "#" "no" "comment"',
    "{bin}/app grüße": f'"{BIN}/app" "grüße"',
    " {bin}/app\ta\n": f'"{BIN}/app" "a"',
    "{bin}/app 'a\tb'": f'"{BIN}/app" "a\tb"',
    "{bin}/app\n": f'"{BIN}/app"',
}

PREFIXES = ("+", "-", "@", ":", "!", "!!", "|", "+|", "-+")

REFUSED = {
    **{
        f"{prefix}{{bin}}/app": "not the name or path of a program"
        for prefix in ("+", "-", "@", ":", "!", "!!", "|", "+|", "-+")
    },
    "'+{bin}/app'": "not the name or path of a program",
    '"!"/bin/app': "not the name or path of a program",
    "$SHELL -c id": "not the name or path of a program",
    "${SHELL} -c id": "not the name or path of a program",
    "~/app": "not the name or path of a program",
    "; /bin/sh": "not the name or path of a program",
    "'' x": "not the name or path of a program",
    "./app": "not the name or path of a program",
    "bin/app": "must begin with '/'",
    "{bin}/app\nUser=root": "a line break",
    "{bin}/app\rUser=root": "a line break",
    "{bin}/app \x00": "U+0000",
    "{bin}/app \x1b[31m": "U+001B",
    "{bin}/app \x85": "U+0085",
    "{bin}/app \u2028": "a line break",
    "{bin}/app \ud800": "U+D800",
    "{bin}/app \ufdd0": "U+FDD0, no character",
    "{bin}/app \ufffe": "U+FFFE, no character",
    "{bin}/app \U0010ffff": "U+10FFFF, no character",
    "{bin}/app 'open": "without its end",
    "{bin}/app \\": "without its end",
    "": "is empty",
    " \n": "is empty",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_written_word_by_word(command: str) -> None:
    assert unit_line(command, "ExecStart", BIN) == f"ExecStart={COMMANDS[command]}"


@pytest.mark.parametrize("command", REFUSED)
def test_a_command_that_systemd_would_read_otherwise_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match=r"ExecStart: the command ") as caught:
        unit_line(command, "ExecStart", BIN)
    assert REFUSED[command] in str(caught.value)


def test_environment_variables_are_written_a_line_each() -> None:
    given = {"A": 'say "hi" \\n %n $HOME', "_b2": "", "N": 5, "Y": True}
    written = 'Environment="A=say \\"hi\\" \\\\n %%n $HOME"\nEnvironment="_b2="\nEnvironment="N=5"\nEnvironment="Y=True"'
    assert unit_line(given, "Environment") == written


@pytest.mark.parametrize(
    "variables",
    [
        {"A": "x\nUser=root"},
        {"A": "x\rUser=root"},
        {"A": "\x00"},
        {"A": "\x7f"},
        {"A": "\ufdef"},
        {"A": "\U0001fffe"},
        {"A=1 B": "x"},
        {"1A": "x"},
        {"": "x"},
        {"A\nUser": "root"},
        {"A\n": "x"},
        {"É": "x"},
    ],
)
def test_what_is_no_environment_variable_is_refused(variables: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Environment: "):
        unit_line(variables, "Environment")


def test_what_is_too_long_for_a_program_or_for_systemd_is_refused() -> None:
    longest = 131_071
    assert unit_line({"A": "x" * (longest - 2)}, "Environment")
    with pytest.raises(ValueError, match=r"^Environment: 'A' and its value have 131,072 bytes; Linux takes 131,071"):
        unit_line({"A": "x" * (longest - 1)}, "Environment")
    assert unit_line(f"/bin/app {'é' * 65_535}", "ExecStart")
    with pytest.raises(ValueError, match=r"^ExecStart: the command has an argument of 131,072 bytes; Linux takes"):
        unit_line(f"/bin/app {'é' * 65_536}", "ExecStart")
    with pytest.raises(ValueError, match=r"has an argument of"):
        unit_line(f"/bin/app {{bin}}/{'x' * (longest - len(BIN))}", "ExecStart", BIN)
    assert unit_line("/bin/app" + 10 * f" {100_000 * 'x'}", "ExecStart")
    with pytest.raises(ValueError, match=r"the command has 1,100,043 bytes as a line of a unit; systemd reads 1,048,476"):
        unit_line("/bin/app" + 11 * f" {100_000 * 'x'}", "ExecStart")


def test_a_title_is_text() -> None:
    assert unit_line("benchrig: 100 % %n", "Description") == "Description=benchrig: 100 %% %%n"
    # A backslash at the end of a line would make the next line a part of it.
    assert unit_line("benchrig: C:\\", "Description") == "Description=benchrig: C:\\ "
    with pytest.raises(ValueError, match="a line break"):
        unit_line("x\nUser=root", "Description")


@pytest.mark.parametrize("key", ["WorkingDirectory", "RuntimeDirectory", "LimitNOFILE"])
@pytest.mark.parametrize("value", ["a b", "x\nUser=root", "%h", "a\\", "", "-/x", "$X", '"'])
def test_folders_names_and_numbers_have_nothing_to_quote(key: str, value: str) -> None:
    with pytest.raises(ValueError, match="is not allowed here"):
        unit_line(value, key)


def test_ansible_loads_the_agents_own_file() -> None:
    plugin = ROOT / "roles/app/filter_plugins/unit_line.py"
    assert plugin.resolve() == ROOT / "benchrig/agent/play/unit_line.py"
    assert FilterModule().filters() == {"unit_line": unit_line}

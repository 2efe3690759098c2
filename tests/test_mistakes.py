"""All mistakes in a user's files are shown at once, each once and at its line."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from benchrig import yamlfile
from benchrig.errors import InputError, unknown
from benchrig.mistakes import Mistakes


def test_mistakes_of_several_files_are_raised_together_and_each_once(tmp_path: Path) -> None:
    good, twice = tmp_path / "good.yml", tmp_path / "twice.yml"
    good.write_text("a: 1\n")
    twice.write_text("a: 1\na: 2\nb: 1\nb: 2\n")
    mistakes = Mistakes()
    assert mistakes.attempt("here", yamlfile.read, good) is not None
    assert mistakes.attempt("here", yamlfile.read, twice) is None
    assert mistakes.attempt("here", yamlfile.read, twice) is None
    mistakes.add("other.yml:3", "is wrong")
    with pytest.raises(InputError) as raised:
        mistakes.raise_all()
    assert str(raised.value).splitlines() == [
        f"{twice}:2: 'a' is given twice",
        f"{twice}:4: 'b' is given twice",
        "other.yml:3: is wrong",
    ]


def test_a_mistake_without_a_place_gets_the_place_of_the_attempt() -> None:
    def read(name: str) -> None:
        raise unknown("data set", name, ["films"])

    mistakes = Mistakes()
    mistakes.attempt("app.yml:4", read, "film")
    with pytest.raises(InputError, match=r"^app\.yml:4: unknown data set 'film'; did you mean films\?$"):
        mistakes.raise_all()


def test_no_mistake_raises_nothing() -> None:
    mistakes = Mistakes()
    mistakes.raise_all()
    assert not mistakes


def _bomb(levels: int, width: int, merged: bool = False) -> str:
    """Return a YAML text of a few bytes whose aliases stand for width ** levels values."""
    around = "{{<<: [{}]}}" if merged else "[{}]"
    lines = ["l0: &l0 {a: b}" if merged else "l0: &l0 [a]"]
    for level in range(1, levels + 1):
        lines.append(f"l{level}: &l{level} {around.format(', '.join([f'*l{level - 1}'] * width))}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: !!int foo\n", ":2: not valid YAML: 'foo' is no !!int"),
        ("a: !!float foo\n", ":1: not valid YAML: 'foo' is no !!float"),
        ("a:\n  - !!bool foo\n", ":2: not valid YAML: 'foo' is no !!bool"),
        (f"a: {'9' * 5000}\n", ":1: a number of 5,000 characters; the longest has 100"),
        (f"a: 0x{'f' * 5000}\n", ":1: a number of 5,002 characters; the longest has 100"),
        ("[" * 3000 + "]" * 3000, ":1: not valid YAML: nested too deeply, more than 100 levels"),
        ("[" * 100_000, ":1: not valid YAML: nested too deeply, more than 100 levels"),
        ("- " * 100_000, ":1: not valid YAML: nested too deeply, more than 100 levels"),
        (
            "".join(f"{' ' * level}a:\n" for level in range(3000)),
            ":101: not valid YAML: nested too deeply, more than 100 levels",
        ),
        ("a: !!timestamp foo\n", ":1: the tag '!!timestamp' is not supported here"),
        ("a: !!binary eA==\n", ":1: the tag '!!binary' is not supported here"),
        ("a: !!set {b}\n", ":1: the tag '!!set' is not supported here"),
        ("a: !!int [1]\n", ":1: the tag '!!int' is not supported here"),
        ("a: !!python/object/apply:os.system [ls]\n", ":1: the tag '!!python/object/apply:os.system' is not supported here"),
        ("a: 1\n? [b]\n: 2\n", ":2: a key must be text, and not a list or a mapping"),
        ("a: 1\nb: \0\n", ":2: not valid YAML: control characters are not allowed"),
        ("a: &a [*a]\n", ":1: this contains itself"),
        ("\ufeffa: [\n", ":2: not valid YAML: did not find expected node content"),
        (_bomb(9, 9), f":7: {yamlfile.TOO_MANY}"),
        (_bomb(9, 9, merged=True), f":7: {yamlfile.TOO_MANY}"),
        (f"a: &a {'x' * 1_000_000}\nb: [{'*a, ' * 99}]\n", f":2: {yamlfile.TOO_LONG}"),
        ("a: [" + "1," * 300_000 + "]\n", f":1: {yamlfile.TOO_MANY}"),
    ],
)
def test_yaml_that_its_reader_chokes_on_is_a_mistake_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "odd.yml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        yamlfile.read(path)
    assert str(raised.value) == f"{path}{said}"


def test_yaml_within_the_limits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yml"
    path.write_text("[" * 99 + "]" * 99 + "\n")
    assert yamlfile.read(path).data
    path.write_text("a: [" + "1," * 290_000 + "]\nb: " + "9" * 100 + "\nc: " + "x" * 1_000_000 + "\n")
    assert len(yamlfile.read(path).data["a"]) == 290_000
    path.write_text(_bomb(3, 9) + "merged:\n  <<: {a: 1}\n")
    assert yamlfile.read(path).data["merged"] == {"a": 1}


def test_file_that_is_wrong_throughout_shows_its_first_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text("".join("a: 1\n" for _ in range(100_000)))
    with pytest.raises(InputError) as raised:
        yamlfile.read(path)
    lines = str(raised.value).splitlines()
    assert (len(lines), lines[-1]) == (101, "there may be more: fix these first")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("folder", "it is a folder"),
        ("fifo", "it is a FIFO"),
        ("socket", "it is a socket"),
        ("device", "it is a device"),
        ("nothing", "No such file or directory"),
        ("latin", "not UTF-8 text"),
        ("long", "File name too long"),
        ("nul", "its name has a NUL character"),
        ("large", "it is larger than 16 MiB"),
    ],
)
def test_what_is_no_file_is_neither_waited_for_nor_read_without_end(tmp_path: Path, kind: str, said: str) -> None:
    path = tmp_path / "odd.yml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "latin":
        path.write_bytes(b"a: \xff\n")
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate(1 << 40)
    path = {"long": tmp_path / ("x" * 4096), "nul": tmp_path / "a\0b"}.get(kind, path)
    with pytest.raises(InputError) as raised:
        yamlfile.read(path)
    assert str(raised.value) == f"{path}: cannot be read: {said}"

"""All mistakes in a user's files are shown at once, each once and at its line."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: !!int foo\n", ":2: not valid YAML: 'foo' is no !!int"),
        ("a: !!float foo\n", ":1: not valid YAML: 'foo' is no !!float"),
        ("a:\n  - !!bool foo\n", ":2: not valid YAML: 'foo' is no !!bool"),
        (f"a: {'9' * 5000}\n", f":1: not valid YAML: '{'9' * 99}… is no !!int"),
        ("[" * 3000 + "]" * 3000, ":1: not valid YAML: nested too deeply"),
    ],
)
def test_yaml_that_its_reader_chokes_on_is_a_mistake_at_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "odd.yml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        yamlfile.read(path)
    assert str(raised.value) == f"{path}{said}"

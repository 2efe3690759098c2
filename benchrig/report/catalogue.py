"""All texts that reports say: what each language's catalogue must have.

`python -m benchrig.report.catalogue zh` prints the entries that zh.po lacks, to be filled in.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from string import Formatter

import jinja2
import polib
from jinja2 import nodes

from benchrig import language
from benchrig.report import columns, describe, sentences
from benchrig.report.claims import words
from benchrig.report.metrics import METRICS
from benchrig.report.verdict import Word
from benchrig.results.codes import Code

PACKAGE = Path(language.__file__).parents[1]

SAY: Mapping[str, int] = {"say": 1, "later": 1, "say_count": 2, "later_count": 2}
"""The functions that say a literal, and how many of their first arguments are texts."""


def texts() -> Mapping[str, str]:
    """Return all texts that are said, each with a place where it is."""
    return {text: place for place, text in (*of_code(), *of_templates(), *_of_data()) if text}


def unknown() -> Sequence[str]:
    """Return the places where `say` is called with something else than a literal, whose translation nobody can ask for."""
    return [place for place, text in (*of_code(), *of_templates()) if text is None]


def catalogue(name: str) -> polib.POFile:
    """Return the catalogue of a language, by its name."""
    return polib.pofile(str(PACKAGE / "language" / f"{name}.po"))


def missing(name: str) -> list[polib.POEntry]:
    """Return entries without a translation for what the catalogue of a language lacks, with their places."""
    known = {entry.msgid for entry in catalogue(name) if entry.msgstr}
    lacking = {text: place for text, place in texts().items() if text not in known}
    return [polib.POEntry(msgid=text, occurrences=[(place, "")]) for text, place in lacking.items()]


def of_code(folder: Path = PACKAGE) -> Iterator[tuple[str, str | None]]:
    """Yield the texts that the modules of a folder say, each after its place; None for what is no literal."""
    for path in sorted(folder.rglob("*.py")):
        if path.parent.name == "language":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                count = SAY.get(ast.unparse(node.func).removeprefix("language."), 0)
                given = [one.value if isinstance(one, ast.Constant) else None for one in node.args[:count]]
                yield from _literals(f"{path.relative_to(folder)}:{node.lineno}", given, count)


def of_templates(folder: Path = PACKAGE) -> Iterator[tuple[str, str | None]]:
    """Yield the texts that the Jinja templates of a folder say, as `of_code` does."""
    environment = jinja2.Environment(autoescape=True)
    for path in sorted((folder / "report").rglob("*.j2")):
        for node in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            count = SAY.get(node.node.name, 0) if isinstance(node.node, nodes.Name) else 0
            given = [one.value if isinstance(one, nodes.Const) else None for one in node.args[:count]]
            yield from _literals(f"{path.relative_to(folder)}:{node.lineno}", given, count)


def _literals(place: str, given: Sequence[object], count: int) -> Iterator[tuple[str, str | None]]:
    yield from ((place, text if isinstance(text, str) else None) for text in (*given, *[None] * (count - len(given))))


def _of_data() -> Iterator[tuple[str, str]]:
    """Yield the texts that are said as data, each after the place where it is named."""
    for place, found in _registries():
        yield from ((place, text) for text in found)


def _registries() -> Iterator[tuple[str, Iterable[str]]]:
    spoken = [sentence for code in Code for sentence in code.sentences.values()]
    nouns = dict.fromkeys(spec for text in spoken for spec in specs(text) if spec not in ("and", "or", ""))
    yield "results/codes.py", spoken
    yield "results/codes.py", [code.label for code in Code]
    yield "results/codes.py", [form for noun in nouns for form in sentences.counted(noun)]
    yield "results/model/cell.py", ["failed", "not possible"]
    yield "report/metrics", [metric.label for metric in METRICS]
    yield "report/metrics", [metric.unit.name for metric in METRICS]
    yield "report/columns.py", [column.heading.replace("\n", " ") for column in columns.COLUMNS]
    yield "report/columns.py", ["warnings"]
    yield "report/claims/words.py", words.WORDS.values()
    yield "report/describe.py", [*describe.SETTINGS, *describe.PINNED, *describe.ENVIRONMENT, *describe.NAMES]
    yield "report/sentences.py", sentences.CAUSES.values()
    yield "report/sentences.py", sentences.ANSWERS
    yield "report/sentences.py", [behind for _, behind in sentences.UNITS.values()]
    yield "report/verdict.py", [word.value for word in Word]


def specs(text: str) -> Iterator[str]:
    """Yield the format of each value of a text: `core` of `{cores:core}`."""
    return (spec for _, _, spec in fields(text))


def fields(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the values of a text: name, conversion and format."""
    return (
        (name, conversion or "", spec or "") for _, name, spec, conversion in Formatter().parse(text) if name is not None
    )


if __name__ == "__main__":
    for entry in missing(sys.argv[1]):
        sys.stdout.write(f"\n{entry}")

"""Translations in files of claims and of published figures."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.language import told, use
from benchrig.report import claims, published
from tests.support import ROOT

NAMES = ("web-frameworks", "quart-vs-flask")


def _copied(tmp_path: Path, kind: str, more: str) -> Path:
    """Return a project with the claims and figures of an article, in one of which something else is translated."""
    for folder in ("claims", "published"):
        shutil.copytree(ROOT / "configs" / folder, tmp_path / "configs" / folder)
    path = tmp_path / "configs" / kind / "quart-vs-flask.yml"
    path.write_text(path.read_text().replace("  zh:\n", f"{more}  zh:\n"))
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_every_text_of_our_claims_is_translated(name: str) -> None:
    drawn = claims.read(name, ROOT)
    assert drawn
    texts = [
        text for one in drawn for text in (one.says, one.place, one.not_testable, *(cause.says for cause in one.causes))
    ]
    with use("zh"):
        assert [text for text in texts if text and told(text) == text and text != "Sanic"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_document_and_its_machine_are_translated(name: str) -> None:
    found = published.read(name, ROOT)
    with use("zh"):
        assert [text for text in (found.title, found.source.document, found.source.machine) if told(text) == text] == []


def test_a_translation_of_a_text_that_no_claim_has_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    root = _copied(tmp_path, "claims", "")
    path = root / "configs" / "claims" / "quart-vs-flask.yml"
    path.write_text(f"{path.read_text()}    Go is slow.: Go \u6162\u3002\n")
    line = len(path.read_text().splitlines())
    with pytest.raises(InputError, match=r"nothing here says 'Go is slow\.'") as caught:
        claims.read("quart-vs-flask", root)
    assert caught.value.problems[0].where.endswith(f"quart-vs-flask.yml:{line}")


@pytest.mark.parametrize("kind", ["claims", "published"])
def test_a_language_that_there_is_not_is_a_mistake(tmp_path: Path, kind: str) -> None:
    root = _copied(tmp_path, kind, "  zz: {}\n")
    with pytest.raises(InputError, match="unknown language 'zz'"):
        (claims if kind == "claims" else published).read("quart-vs-flask", root)

"""The SBOM is made by the real program. pip-audit is played back: its advisories cannot be had on every machine."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchrig.cli import dependencies
from benchrig.errors import BenchrigError
from tests.support import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with two lock files."""
    (tmp_path / "apps/mine").mkdir(parents=True)
    for name in ("requirements.lock", "requirements-dev.lock", "apps/mine/requirements.txt"):
        (tmp_path / name).touch()
    return tmp_path


def plays(monkeypatch: pytest.MonkeyPatch, said: Mapping[str, Any] | str) -> None:
    """Have pip-audit say the same of every lock file: a report, or an error."""
    report = "" if isinstance(said, str) else json.dumps({"dependencies": [said]})
    error = said if isinstance(said, str) else ""
    monkeypatch.setattr(dependencies, "_run", lambda *_: subprocess.CompletedProcess((), 1, report, error))


def test_the_sbom_has_what_the_lock_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dependencies, "SBOM", str(tmp_path / "sbom.json"))
    made = json.loads(dependencies.write_sbom(ROOT).read_bytes())
    # A package may be locked twice, for two versions of Python.
    locked = set(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    names = {name for name, _ in locked}
    listed = {(one["name"].lower().replace("_", "-"), one["version"]) for one in made["components"]}
    assert made["bomFormat"] == "CycloneDX"
    assert {one for one in listed if one[0] in names} <= locked
    assert {"fabric", "invoke", "paramiko", "pyyaml", "tabulate", "jinja2"} <= {name for name, _ in listed}


def test_a_vulnerable_package_fails(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vulnerable = {"name": "old", "version": "1.0", "vulns": [{"id": "CVE-2026-1", "fix_versions": ["1.1"]}]}
    plays(monkeypatch, vulnerable)
    with pytest.raises(BenchrigError, match=r"old 1\.0 \(apps/mine/requirements\.txt: CVE-2026-1; fixed in 1\.1\)"):
        dependencies.audit_packages(project)


def test_good_packages_are_counted(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plays(monkeypatch, {"name": "good", "version": "2.0", "vulns": []})
    dependencies.audit_packages(project)
    assert capsys.readouterr().err == "pip-audit: 1 packages checked, none is known to be vulnerable\n"


def test_what_cannot_be_checked_is_no_good_news(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plays(monkeypatch, {"name": "unknown", "skip_reason": "not found"})
    dependencies.audit_packages(project)
    assert capsys.readouterr().err == "warning: no advisories can be had for 1 of 1 locked packages\n"
    plays(monkeypatch, "Traceback\nConnectionError: no route")
    dependencies.audit_packages(project)
    assert capsys.readouterr().err == "warning: requirements.lock is not audited: ConnectionError: no route\n"


def test_an_audit_that_hangs_is_no_failure(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hang(*_: object) -> None:
        raise subprocess.TimeoutExpired("pip-audit", 1)

    monkeypatch.setattr(dependencies, "_run", hang)
    dependencies.audit_packages(project)
    assert capsys.readouterr().err == "warning: requirements.lock is not audited: pip-audit did not end within 120 s\n"

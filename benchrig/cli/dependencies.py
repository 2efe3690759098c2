"""Dependencies: a software bill of materials (SBOM), and an audit of the locked packages for known vulnerabilities."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchrig import console
from benchrig.cli.bootstrap import BootstrapError, make_environment
from benchrig.errors import BenchrigError

SBOM = "sbom.cdx.json"
AUDIT_SECONDS = 120.0


def write_sbom(root: Path) -> Path:
    """Write the SBOM of what `./inv` runs with, in CycloneDX's JSON, and return its path. Raises BenchrigError."""
    path = root / SBOM
    words = ["environment", "--pyproject", "pyproject.toml", "--output-reproducible", "--output-file", str(path), ".venv"]
    done = _run(root, "cyclonedx-py", *words)
    if done.returncode:
        raise BenchrigError(f"the SBOM cannot be made: {done.stderr.strip() or done.stdout.strip()}")
    count = len(json.loads(path.read_bytes())["components"])
    console.line(f"wrote {SBOM}: CycloneDX, {count} components")
    return path


def audit_packages(root: Path) -> None:
    """Check every locked package, those of the apps among them, against the advisories of its index.

    What cannot be checked is a warning, because many machines reach no advisories. Raises BenchrigError when a package has a
    known vulnerability.
    """
    locks = [
        root / "requirements.lock",
        root / "requirements-dev.lock",
        *sorted(root.glob("roles/*/files/requirements.txt")),
    ]
    locks += sorted(root.glob("apps/*/requirements.txt"))
    found: dict[str, str] = {}
    skipped: dict[str, None] = {}
    checked: dict[str, None] = {}
    for lock in locks:
        packages = _audit(root, lock)
        if packages is None:
            return
        for package in packages:
            name = f"{package.get('name', '')} {package.get('version', '')}".strip()
            if package.get("vulns"):
                found[name] = _vulnerability(lock.relative_to(root), package)
            (skipped if "skip_reason" in package else checked)[name] = None
    if found:
        raise BenchrigError(f"known vulnerabilities: {'; '.join(f'{name} ({what})' for name, what in found.items())}")
    if skipped:
        console.warn(f"no advisories can be had for {len(skipped)} of {len(skipped) + len(checked)} locked packages")
    if checked:
        console.line(f"pip-audit: {len(checked)} packages checked, none is known to be vulnerable")


def _audit(root: Path, lock: Path) -> list[Mapping[str, Any]] | None:
    """Return what pip-audit says of the packages of a lock file; None, with a warning, when it reaches no advisories."""
    words = ["--requirement", str(lock), "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    try:
        done = _run(root, "pip-audit", *words)
    except subprocess.TimeoutExpired:
        console.warn(f"{lock.relative_to(root)} is not audited: pip-audit did not end within {AUDIT_SECONDS:.0f} s")
        return None
    try:
        packages: list[Mapping[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        console.warn(f"{lock.relative_to(root)} is not audited: {reason}")
        return None
    return packages


def _vulnerability(lock: Path, package: Mapping[str, Any]) -> str:
    """Return a package's vulnerabilities in words: where it is locked, their names, and the versions that mend them."""
    names = ", ".join(one["id"] for one in package["vulns"])
    mended = sorted({version for one in package["vulns"] for version in one.get("fix_versions", ())})
    return f"{lock}: {names}; {'fixed in ' + ', '.join(mended) if mended else 'no version fixes it'}"


def _run(root: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        program = make_environment(root, ".venv-dev", "requirements-dev.lock") / "bin" / tool
    except BootstrapError as error:
        raise BenchrigError(str(error)) from None
    return subprocess.run(
        [program, *arguments], cwd=root, capture_output=True, text=True, timeout=AUDIT_SECONDS, check=False
    )

"""The tasks for work on benchrig itself: its tests, and its checks."""

from __future__ import annotations

from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command
from benchrig.errors import InputError


@command(
    help={
        "select": "pytest's -k expression",
        "lab": "also the tests that bring up a real lab machine (default: yes)",
        "vm": "also the tests that bring up a virtual machine, which without KVM take many minutes",
        "faults": "only the tests that cause faults (docs/reliability.md), those on machines among them",
        "long": "with --faults: also those that take longer than two minutes",
    }
)
def test(
    ctx: ChainContext, select: str = "", lab: bool = True, vm: bool = False, faults: bool = False, long: bool = False
) -> None:
    """Run benchrig's own tests; as root it installs what they need.

    Example: ./inv test --no-lab
    """
    from benchrig.cli.development import run_tests

    if long and not faults:
        raise InputError("--long needs --faults")
    run_tests(ROOT, select, lab=lab, vm=vm, faults=faults, long=long)


@command()
def lint(ctx: ChainContext) -> None:
    """Check code, roles and dependencies; write sbom.cdx.json.

    Example: ./inv lint
    """
    from benchrig.cli.dependencies import audit_packages, write_sbom
    from benchrig.cli.development import run_tool

    run_tool(ROOT, "ruff", "check", ".")
    run_tool(ROOT, "ruff", "format", "--check", ".")
    run_tool(ROOT, "mypy", "benchrig", "tasks.py", "benchmarks")
    run_tool(ROOT, "ansible-lint", "--profile", "production", "--offline", "site.yml", "roles")
    write_sbom(ROOT)
    audit_packages(ROOT)

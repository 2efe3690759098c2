"""Stopping an app keeps the end of what it wrote, and never waits long for it. systemd's programs are played here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchrig.agent.bench import protocol, unit

Play = Callable[..., str]

ENVIRONMENT = r"""PORT=8080 API_TOKEN=s3cr3t-token "DB_PASSWORD=with a blank" """
"""As systemd shows it."""


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Return what stops an app where journalctl is a script, and returns what is kept of its journal."""
    monkeypatch.setattr(unit, "await_free", lambda _: protocol.Port(True))

    def program(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    def stop(journalctl: str | None, start_id: str = "abc") -> str:
        shown = f"InvocationID={start_id}\nEnvironment={ENVIRONMENT}"
        program("systemctl", f"test \"$1\" = show && cat <<'END'\n{shown}\nEND\ntrue")
        if journalctl is not None:
            program("journalctl", journalctl)
        others = f":{os.environ['PATH']}" if journalctl is not None else ""
        monkeypatch.setenv("PATH", f"{tmp_path}{others}")
        found = unit.stop("benchrig-x.service", 8080)
        assert found.port.free
        return found.journal

    return stop


def test_what_the_app_wrote_since_its_start_is_kept(stopped: Play) -> None:
    assert stopped('echo "hello $*"') == ("hello --quiet --no-pager --output=cat --lines=200 _SYSTEMD_INVOCATION_ID=abc")


def test_secrets_of_the_app_are_starred_in_what_it_wrote(
    stopped: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pgpass").write_text("*:5432:films:films:pa\\:ss-word\n")
    monkeypatch.setattr(unit, "PGPASS", str(tmp_path / "pgpass"))
    said = "env: PORT=8080 API_TOKEN=s3cr3t-token; 'with a blank'; postgresql://films:pa:ss-word@db"
    assert stopped(f'echo "{said}"') == "env: PORT=8080 API_TOKEN=********; '********'; postgresql://films:********@db"


def test_secrets_are_starred_in_the_journal_of_a_cell_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def output(argv: tuple[str, ...]) -> str:
        if argv[0] == "journalctl":
            return "token s3cr3t-token" if "--output=cat" in argv else ""
        return f"InvocationID=abc\nEnvironment={ENVIRONMENT}"

    monkeypatch.setattr(unit, "output", output)
    assert unit.journal("benchrig-x.service", 10).text == "token ********"


def test_of_much_the_end_is_kept(stopped: Play) -> None:
    journal = stopped("head -c 300000 /dev/zero | tr '\\0' x; echo; echo the end")
    assert len(journal) <= 64 << 10
    assert journal.endswith("x\nthe end")


def test_bytes_that_are_no_text_are_kept_as_marks(stopped: Play) -> None:
    assert stopped(r"printf 'a\377b\n'") == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(("journalctl", "start_id"), [("true", "abc"), ("echo of another", ""), (None, "abc")])
def test_where_nothing_was_written_or_nothing_reads_it_there_is_none(
    stopped: Play, journalctl: str | None, start_id: str
) -> None:
    assert stopped(journalctl, start_id) == ""


def test_a_journal_that_takes_long_is_left_out(stopped: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "KEPT_SECONDS", 0.1)
    began = time.monotonic()
    assert stopped("exec sleep 60") == ""
    assert time.monotonic() - began < 5


def test_an_app_that_cannot_be_stopped_is_an_error_whatever_its_journal_does(
    stopped: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: str) -> None:
        raise unit.UnitError("refused")

    monkeypatch.setattr(unit, "_systemctl", refuse)
    with pytest.raises(unit.UnitError, match="refused"):
        stopped("exec sleep 60")

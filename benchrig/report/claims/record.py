"""`./inv claims --json`: verdicts for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchrig.report import describe
from benchrig.report.claims.audit import Audit
from benchrig.report.document import Report
from benchrig.report.export.json import claim_of, text_of
from benchrig.report.verdict import Verdict


@dataclass(frozen=True)
class Advised:
    """What would decide inconclusive claims."""

    what: str
    command: str


@dataclass(frozen=True)
class AuditedRecord:
    """What the audit of published figures found beside the claims."""

    compared: int
    """The number of figures in the article's table that the load generator's text has as well."""
    differing: tuple[str, ...]
    """Those of them that differ."""
    averages: int
    """The number of mean latencies in the article's table."""
    contradicting: tuple[str, ...]
    """Those of them that contradict Little's law."""
    texts: Mapping[str, str]
    """Of each row with a text of the load generator: the verdict of `./inv audit` on it."""


@dataclass(frozen=True)
class JudgedRecord:
    """A run, or published figures, and the verdicts on the claims."""

    name: str
    """The run's folder name, or the name of the published figures."""
    title: str
    is_run: bool
    server: str
    """The server whose rows the claims are judged by; empty where there is one server."""
    incomplete: bool
    counts: Mapping[str, int]
    """How many claims there are of each verdict."""
    next: tuple[Advised, ...]
    """What would decide inconclusive claims, each with one command for all of them."""
    audit: AuditedRecord | None
    """None of a run."""
    claims: tuple[Verdict, ...]


@dataclass(frozen=True)
class ClaimsRecord:
    """The run that was judged; or, with `--published`, all published figures."""

    judged: tuple[JudgedRecord, ...]


def render_json(report: Report) -> str:
    """Return the verdicts on a run as JSON text."""
    table = report.table
    steps = tuple(Advised(what.removesuffix(":"), command) for what, command in describe.next_steps(table, report.verdicts))
    return _text(
        JudgedRecord(
            table.name,
            table.title,
            table.run is not None,
            table.first_server,
            table.incomplete,
            _counts(report.verdicts),
            steps,
            None,
            report.verdicts,
        )
    )


def render_audit_json(audits: Sequence[Audit]) -> str:
    """Return what published figures say of themselves as JSON text."""
    return _text(*(_audited(audit) for audit in audits))


def _audited(audit: Audit) -> JudgedRecord:
    texts = {name: str(verdict) for name, verdict, _ in audit.texts}
    found = AuditedRecord(audit.compared, audit.differing, audit.averages, audit.contradicting, texts)
    published = audit.published
    counts = _counts(audit.verdicts)
    return JudgedRecord(published.name, published.title, False, "", False, counts, (), found, audit.verdicts)


def _counts(verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    return dict(Counter(verdict.word.value for verdict in verdicts))


def _text(*judged: JudgedRecord) -> str:
    records = [{**asdict(one), "claims": [claim_of(verdict) for verdict in one.claims]} for one in judged]
    return text_of({"judged": records})

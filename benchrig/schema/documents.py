"""Which files have a schema: those of a run, and all YAML that users write. Each is made from the classes that read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from benchrig import files
from benchrig.ab.analysis import Result
from benchrig.bench import app, data, rows, suite, traffic
from benchrig.bench.generators.registry import GENERATORS
from benchrig.bench.runtimes import runtimes
from benchrig.machines import KINDS, kind
from benchrig.machines.base import StatusRecord
from benchrig.report import published
from benchrig.report.claims import file as claims
from benchrig.report.claims.record import ClaimsRecord
from benchrig.report.compare.record import ComparisonRecord
from benchrig.report.export.record import RowRecord
from benchrig.report.figures import Sample
from benchrig.report.gate.document import GateRecord
from benchrig.report.history import History
from benchrig.report.latencies import Latencies
from benchrig.report.listing import RunsRecord
from benchrig.report.metrics import METRICS
from benchrig.report.replies import Replies
from benchrig.report.texts.lines import TextRecord
from benchrig.report.verdict import Reason, Verdict
from benchrig.results import formats, model, sessions
from benchrig.results.model.session import Session
from benchrig.schema.convert import Converter, Rules, Schema
from benchrig.schema.inventory import HostVariables

FOLDER = "docs/schema"

_DURATION: Schema = {"type": ["string", "number"], "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m|h)?\s*$", "examples": ["5s", "1m"]}
_COUNT: Schema = {"minimum": 1}
_FORMAT: Schema = {"description": "The format of this record.", "const": formats.FORMAT}

RULES = Rules(
    fields={
        (suite.ProfileFile, "duration"): _DURATION,
        (suite.ProfileFile, "warm_up"): _DURATION,
        (suite.ProfileFile, "timeout"): _DURATION,
        (suite.ProfileFile, "threads"): _COUNT,
        (suite.ProfileFile, "repeats"): _COUNT,
        (suite.ProfileFile, "generator"): {"enum": sorted(GENERATORS)},
        (suite.SuiteFile, "expect"): {"type": "array"},
        (published.Source, "generator"): {"enum": sorted(GENERATORS)},
        (rows.RowFile, "connections"): _COUNT,
        (rows.MatrixFile, "connections"): _COUNT,
        (app.AppFile, "runtime"): {"enum": ["", *sorted(runtimes())]},
        (app.AppFile, "port"): {"minimum": 1, "maximum": 65535},
        (app.AppFile, "address"): {"pattern": r"^(http://.+)?$"},
        (HostVariables, "benchrig_machine"): {"enum": sorted(KINDS)},
        (HostVariables, "benchrig_cpus"): _COUNT,
        (HostVariables, "benchrig_memory_mb"): _COUNT,
        (traffic.RouteFile, "path"): {"pattern": "^/"},
        **{
            (published.PublishedRowFile, name): {"exclusiveMinimum": 0}
            for name in ("connections", *(metric.name for metric in METRICS if metric.published))
        },
    },
    instead={
        (app.AppFile, "routes"): (str, Mapping[str, traffic.RouteFile]),
    },
    classes={
        app.AppFile: {"anyOf": [{"required": ["runtime", "command"]}, {"required": ["address"]}]},
        suite.SuiteFile: {"anyOf": [{"required": ["rows"]}, {"required": ["matrix"]}]},
        claims.ClaimFile: {"oneOf": [{"required": ["expression"]}, {"required": ["not_testable"]}]},
    },
)
"""What the functions check that read these files, as far as an editor can use it; they remain the judges."""


def _run() -> Schema:
    return _recorded(model.Run, "run.json of a run")


def _cell() -> Schema:
    return _recorded(model.Cell, "a line of cells.jsonl of a run")


def _recorded(cls: type, title: str) -> Schema:
    schema = Converter().document(cls, title, format=_FORMAT)
    return {**schema, "required": ["format", *schema["required"]]}


def _report() -> Schema:
    made = Converter(Rules(instead={(Verdict, "reason"): str}))
    run = made.fields(model.Run)
    for part in (run["properties"], run["required"]):
        if "machines" in part:
            part.pop("machines") if isinstance(part, dict) else part.remove("machines")
    row = made.fields(RowRecord)
    row["properties"] |= {
        "samples": made.type(Mapping[str, Sample]),
        "versions": made.type(Mapping[str, str]),
        "command": made.type(tuple[str, ...]),
        "replies": made.type(Replies | None),
        "latencies": made.type(Latencies | None),
        "raw": made.type(tuple[str, ...]),
    }
    source = made.fields(published.Source)
    source["properties"] = {"name": {"type": "string"}, **source["properties"]}
    properties: Schema = {
        "run": {"anyOf": [run, {"type": "null"}]},
        "machines": made.type(tuple[model.Machine, ...]),
        "label": {"type": "string", "description": "What the user calls the run; empty where it has no label."},
        "incomplete": {"type": "boolean"},
        "not_run": made.type(tuple[str, ...]),
        "published": {"anyOf": [source, {"type": "null"}]},
        "rows": {"type": "array", "items": row},
        "claims": made.type(tuple[Verdict, ...]),
    }
    made.definitions["Verdict"]["properties"]["because"] = made.type(Reason)
    return made.finished("report.json of a run", {"type": "object", "properties": properties, "required": [*properties]})


def _verdicts() -> Schema:
    made = Converter(Rules(instead={(Verdict, "reason"): str}))
    document = made.document(ClaimsRecord, "./inv claims --json")
    made.definitions["Verdict"]["properties"]["because"] = made.type(Reason)
    return {**document, "definitions": dict(sorted(made.definitions.items()))}


def _written(cls: type, title: str) -> Schema:
    return Converter(RULES, yaml=True).document(cls, title)


def _routes() -> Schema:
    made = Converter(RULES, yaml=True)
    return made.finished("A file of routes, which an app.yml names", made.type(Mapping[str, traffic.RouteFile]))


def _inventory() -> Schema:
    made = Converter(RULES, yaml=True)
    variables = {**made.fields(HostVariables), "additionalProperties": True}
    for own in filter(None, (kind(name).variables for name in KINDS)):
        variables["properties"] |= made.fields(own())["properties"]
    nothing: Schema = {"type": "null"}
    group: Schema = {"anyOf": [{"$ref": "#/definitions/group"}, nothing]}
    made.definitions["variables"] = {"anyOf": [variables, nothing]}
    some = {"$ref": "#/definitions/variables"}
    hosts: Schema = {"type": ["object", "null"], "additionalProperties": some}
    children: Schema = {"type": ["object", "null"], "additionalProperties": group}
    made.definitions["group"] = {
        "type": "object",
        "properties": {"hosts": hosts, "vars": some, "children": children},
        "additionalProperties": False,
    }
    return made.finished("inventory/NAME.yml", {"type": "object", "additionalProperties": group, "minProperties": 1})


def _printed(cls: type, title: str) -> Schema:
    return Converter().document(cls, title)


def _session() -> Schema:
    formatted: Schema = {"description": "The format of this record.", "const": sessions.FORMAT}
    schema = Converter().document(Session, "ab.json of a session of ./inv ab", format=formatted)
    return {**schema, "required": ["format", *schema["required"]]}


def _history() -> Schema:
    made = Converter()
    schema = made.document(History, "./inv history --json")
    judgement = made.definitions["Judgement"]
    judgement["properties"] |= {"off": made.type(bool | None), "unknown": made.type(str)}
    return {**schema, "definitions": dict(sorted(made.definitions.items()))}


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "run": _run,
    "cell": _cell,
    "report": _report,
    "comparison": lambda: _printed(ComparisonRecord, "what ./inv compare --json prints"),
    "text": lambda: _printed(TextRecord, "a line of ./inv audit --json"),
    "gate": lambda: _printed(GateRecord, "what ./inv gate --json prints"),
    "status": lambda: _printed(StatusRecord, "what ./inv status --json prints"),
    "verdicts": _verdicts,
    "history": _history,
    "runs": lambda: _printed(RunsRecord, "what ./inv runs --json prints"),
    "session": _session,
    "ab": lambda: _printed(Result, "what ./inv ab --json prints"),
    "app": lambda: _written(app.AppFile, "apps/NAME/app.yml"),
    "routes": _routes,
    "suite": lambda: _written(suite.SuiteFile, "configs/suites/NAME.yml"),
    "data": lambda: _written(data.DataFile, "configs/data/NAME/data.yml"),
    "claims": lambda: _written(claims.ClaimsFile, "configs/claims/NAME.yml"),
    "published": lambda: _written(published.PublishedFile, "configs/published/NAME.yml"),
    "inventory": _inventory,
}
"""The schema of each kind of file, by the name of its file in `docs/schema/`."""


def text(name: str) -> str:
    """Return a schema as it stands in its file."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n"


def path(root: Path, name: str) -> Path:
    """Return the file of a schema."""
    return root / FOLDER / f"{name}.schema.json"


def write(root: Path) -> None:
    """Write all schemas below `root`."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        files.write(path(root, name), text(name))

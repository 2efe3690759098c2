"""The schemas of docs/schema, as judges of documents."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft7Validator

from benchrig.schema import documents
from tests.support import ROOT


def mistakes(name: str, data: Any) -> list[str]:
    """Return what is wrong with a document by the schema of its kind."""
    schema = json.loads(documents.path(ROOT, name).read_text(encoding="utf-8"))
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message}" for one in Draft7Validator(schema).iter_errors(data)]

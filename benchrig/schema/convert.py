"""A dataclass as JSON Schema (draft 7, which editors know best): what `agent/spec.py` reads, said for other programs."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"

_SCALARS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


@dataclasses.dataclass(frozen=True)
class Rules:
    """What the types of a file's classes do not say, because a function checks it."""

    fields: Mapping[tuple[Any, str], Schema] = dataclasses.field(default_factory=dict)
    """By class and field: keywords that are added to the field's schema, such as `minimum`."""
    instead: Mapping[tuple[Any, str], Any] = dataclasses.field(default_factory=dict)
    """By class and field: the type to take in place of the field's own; a tuple of types means any of them."""
    classes: Mapping[Any, Schema] = dataclasses.field(default_factory=dict)
    """By class: keywords that are added to its schema, such as `anyOf`."""


class Converter:
    """Makes the schemas of one file's classes; those that its main class uses are collected in `definitions`."""

    def __init__(self, rules: Rules | None = None, *, yaml: bool = False) -> None:
        """With `yaml`, the file is one that users write: keys are checked, and text may look like a number."""
        self.rules = rules or Rules()
        self.yaml = yaml
        self.definitions: dict[str, Schema] = {}

    def document(self, cls: Any, title: str, **properties: Schema) -> Schema:
        """Return the schema of a whole file, whose content is a `cls`; `properties` stand in it as well."""
        main = self.fields(cls)
        main["properties"] = properties | main["properties"]
        return self.finished(title, {"description": inspect.getdoc(cls), **main})

    def finished(self, title: str, main: Schema) -> Schema:
        """Return a file's schema with all the definitions that it needs."""
        return {"$schema": DRAFT, "title": title, **main, "definitions": dict(sorted(self.definitions.items()))}

    def reference(self, cls: Any) -> Schema:
        """Return a reference to a class, whose schema is one of the definitions."""
        name = cls.__name__.strip("_")
        if name not in self.definitions:
            self.definitions[name] = {}  # first, in case the class uses itself
            self.definitions[name] = {"description": inspect.getdoc(cls), **self.fields(cls)}
        return {"$ref": f"#/definitions/{name}"}

    def fields(self, cls: Any) -> Schema:
        """Return the schema of an object with the fields of a class."""
        hints, texts = typing.get_type_hints(cls), _docstrings(cls)
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for field in dataclasses.fields(cls):
            kinds = self.rules.instead.get((cls, field.name), hints[field.name])
            schema = self.any_of([self.type(kind) for kind in kinds]) if isinstance(kinds, tuple) else self.type(kinds)
            schema = _described(schema, field.metadata.get("description", texts.get(field.name, "")))
            properties[field.name] = {**schema, **self.rules.fields.get((cls, field.name), {})}
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                required.append(field.name)
            elif self.yaml and isinstance(field.default, (int, float, str)) and field.default != "":
                properties[field.name]["default"] = field.default
        found: Schema = {"type": "object", "properties": properties, "required": required}
        # A later benchrig may add fields to a record; a key that a user writes and nobody knows is a mistake.
        return {**found, "additionalProperties": not self.yaml, **self.rules.classes.get(cls, {})}

    def type(self, kind: Any) -> Schema:
        """Return the schema of a value of a type."""
        origin, inner = get_origin(kind), get_args(kind)
        if kind in (object, Any):
            return {}
        if origin in (Union, types.UnionType):
            return self.any_of([self.type(one) for one in inner])
        if origin is Literal:
            return {"enum": list(inner)}
        if origin in (list, tuple):
            array = {"type": "array", "items": self.type(inner[0])}
            # In YAML, a list of words may be written as one text with commas.
            return self.any_of([array, {"type": "string"}]) if self.yaml and inner[0] is str else array
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.type(inner[1])}
        if dataclasses.is_dataclass(kind):
            return self.reference(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [one.value for one in kind]}
        if kind is str and self.yaml:
            return {"type": ["string", "number"]}
        return {"type": _SCALARS[kind]}

    def any_of(self, schemas: list[Schema]) -> Schema:
        """Return the schema of a value that fits one of several; types without more to them are joined to a list."""
        if all(set(schema) == {"type"} for schema in schemas):
            names = [[name] if isinstance(name, str) else name for name in (schema["type"] for schema in schemas)]
            return {"type": [*dict.fromkeys(one for some in names for one in some)]}
        return {"anyOf": schemas}


def _described(schema: Schema, text: str) -> Schema:
    if not text:
        return schema
    # In draft 7, nothing beside a reference counts.
    return {"description": text, **({"allOf": [schema]} if "$ref" in schema else schema)}


@functools.cache
def _docstrings(cls: Any) -> dict[str, str]:
    """Return the text below each field of a class and of the classes that it extends, by the field's name.

    A class that is made from the registry of metrics has no source: its fields have their descriptions with them.
    """
    found = {name: text for base in cls.__bases__ if base is not object for name, text in _docstrings(base).items()}
    try:
        (tree,) = ast.parse(inspect.cleandoc(inspect.getsource(cls))).body
    except OSError:
        return found
    assert isinstance(tree, ast.ClassDef)
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[field.target.id] = inspect.cleandoc(text.value)
    return found

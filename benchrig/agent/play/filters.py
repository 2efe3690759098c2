"""Ansible's filters and tests that are not already Jinja's own, with Ansible's names, arguments and results."""

from __future__ import annotations

import base64
import functools
import json
import os.path
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jinja2.filters import FILTERS as JINJA_FILTERS

from .. import spec
from .unit_line import unit_line


def to_bool(value: Any) -> bool:
    """Yes for Ansible's spellings of it."""
    return spec.truth(value) is True


def regex_replace(
    value: Any,
    pattern: str = "",
    replacement: str = "",
    ignorecase: bool = False,
    multiline: bool = False,
    count: int = 0,
    mandatory_count: int = 0,
) -> str:
    """Replace what the pattern matches."""
    text, replaced = re.subn(pattern, replacement, str(value), count=count, flags=_flags(ignorecase, multiline))
    if mandatory_count and mandatory_count != replaced:
        raise ValueError(f"'{pattern}' should match {mandatory_count} times, but matches {replaced} times")
    return text


def regex_search(value: Any, pattern: str, *groups: str, ignorecase: bool = False, multiline: bool = False) -> Any:
    """Return what matches, or the named groups of it as a list; nothing when nothing matches."""
    found = re.search(pattern, str(value), _flags(ignorecase, multiline))
    if not found:
        return None
    return [found.group(_group(group)) for group in groups] if groups else found.group()


def _group(reference: str) -> str | int:
    match = re.fullmatch(r"\\(?:g<(\w+)>|(\d+))", reference)
    if not match:
        raise ValueError(f"'{reference}' is not a group reference; write '\\\\1' or '\\\\g<name>'")
    return int(match[2]) if match[2] else match[1]


def regex_findall(value: Any, pattern: str, multiline: bool = False, ignorecase: bool = False) -> list[Any]:
    """Return all that matches."""
    return re.findall(pattern, str(value), _flags(ignorecase, multiline))


def _flags(ignorecase: bool, multiline: bool) -> int:
    return (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)


def from_json(text: Any) -> Any:
    """Read JSON."""
    return json.loads(text) if isinstance(text, (str, bytes)) else text


def to_json(value: Any, indent: int | None = None, sort_keys: bool = False) -> str:
    """Write JSON."""
    return json.dumps(value, indent=indent, sort_keys=sort_keys, default=_mapping)


def to_nice_json(value: Any, indent: int = 4, sort_keys: bool = True) -> str:
    """Write JSON for people."""
    return json.dumps(value, indent=indent, sort_keys=sort_keys, default=_mapping)


def _mapping(value: Any) -> dict[Any, Any]:
    """Return a mapping that is no dict (facts, a host's variables) as one, for JSON."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def digest(value: Any, algorithm: str = "sha1") -> str:
    """Return a hash in hexadecimal."""
    import hashlib

    return hashlib.new(algorithm, str(value).encode()).hexdigest()


def dict2items(mapping: Any, key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    """Return a mapping as a list of key and value."""
    if not isinstance(mapping, Mapping):
        raise TypeError(f"dict2items needs a mapping, found {spec.describe(mapping)}")
    return [{key_name: key, value_name: value} for key, value in mapping.items()]


def items2dict(items: Any, key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    """Return a list of key and value as a mapping."""
    return {item[key_name]: item[value_name] for item in items}


def combine(*parts: Any, recursive: bool = False, list_merge: str = "replace") -> dict[Any, Any]:
    """Return mappings put together; the later win."""
    if list_merge != "replace":
        raise ValueError("combine: list_merge is only supported as 'replace'")
    result: dict[Any, Any] = {}
    for part in flatten(parts, levels=1):
        if not isinstance(part, Mapping):
            raise TypeError(f"combine needs mappings, found {spec.describe(part)}")
        result = _merged(result, part) if recursive else {**result, **part}
    return result


def _merged(below: Mapping[Any, Any], above: Mapping[Any, Any]) -> dict[Any, Any]:
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = _merged(result[key], value) if both else value
    return result


def flatten(items: Iterable[Any], levels: int | None = None, skip_nulls: bool = True) -> list[Any]:
    """Return lists within a list as one list."""
    result: list[Any] = []
    for item in items:
        if item is None and skip_nulls:
            continue
        if isinstance(item, (list, tuple)) and levels != 0:
            result.extend(flatten(item, None if levels is None else levels - 1, skip_nulls))
        else:
            result.append(item)
    return result


def union(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Return what is in either list, once."""
    return _distinct([*first, *second])


def intersect(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Return what is in both lists, once."""
    return _distinct(item for item in first if item in second)


def difference(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Return what is in the first list only, once."""
    return _distinct(item for item in first if item not in second)


def _distinct(items: Iterable[Any]) -> list[Any]:
    result: list[Any] = []
    for item in items:
        if item not in result:
            result.append(item)
    return result


def quote(value: Any) -> str:
    """Quote for a shell."""
    import shlex

    return shlex.quote("" if value is None else str(value))


def ternary(value: Any, yes: Any, no: Any, none: Any = None) -> Any:
    """Choose by whether a value is true."""
    if value is None and none is not None:
        return none
    return yes if value else no


def b64decode(value: str, encoding: str = "utf-8") -> str:
    """Decode base64 text."""
    return base64.b64decode(value).decode(encoding)


def b64encode(value: str, encoding: str = "utf-8") -> str:
    """Encode text as base64."""
    return base64.b64encode(value.encode(encoding)).decode()


def split(value: str, separator: str | None = None, maximum: int = -1) -> list[str]:
    """Split text."""
    return value.split(separator, maximum)


def mandatory(value: Any, message: str = "") -> Any:
    """Insist on a value being defined."""
    from jinja2.runtime import Undefined

    if isinstance(value, Undefined):
        raise ValueError(message or value._undefined_message)
    return value


def comment(text: str, style: str = "plain", decoration: str = "") -> str:
    """Return text as a comment of a configuration file."""
    if style != "plain":
        raise ValueError("comment: only the style 'plain' is supported")
    mark = decoration or "# "
    bare = mark.rstrip()
    lines = (mark + text.replace("\n", f"\n{mark}")).replace(f"{mark}\n", f"{bare}\n")
    return f"{bare}\n{lines}\n{bare}"


def version(value: Any, other: Any, operator: str = "==", strict: bool | None = None, version_type: str = "") -> bool:
    """Compare versions part by part: numbers as numbers, the rest as text."""
    if strict or version_type not in ("", "loose"):
        raise ValueError("version: only loose comparison is supported")
    left, right = _parts(str(value)), _parts(str(other))
    try:
        return bool(_COMPARE[operator](left, right))
    except KeyError:
        raise ValueError(f"version: unknown operator '{operator}'; allowed: {', '.join(_COMPARE)}") from None


def _parts(text: str) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.findall(r"\d+|[a-z]+", text)]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("==", "=", "eq"), lambda left, right: left == right),
    **dict.fromkeys(("!=", "<>", "ne"), lambda left, right: left != right),
    **dict.fromkeys(("<", "lt"), lambda left, right: left < right),
    **dict.fromkeys(("<=", "le"), lambda left, right: left <= right),
    **dict.fromkeys((">", "gt"), lambda left, right: left > right),
    **dict.fromkeys((">=", "ge"), lambda left, right: left >= right),
}


def matches(how: str) -> Callable[..., bool]:
    """Return the test `match` (from the start), `search` (anywhere) or `fullmatch`."""

    def test(value: Any, pattern: str = "", ignorecase: bool = False, multiline: bool = False) -> bool:
        found = getattr(re, how)(pattern, str(value), _flags(ignorecase, multiline))
        return found is not None

    return test


def _outcome(name: str) -> Callable[[Any], bool]:
    def test(result: Any) -> bool:
        if not isinstance(result, Mapping):
            raise TypeError(f"'is {name}' needs the registered result of a task, found {spec.describe(result)}")
        if name == "changed" and "changed" not in result:
            return any(item.get("changed") for item in result.get("results", ()))
        return bool(result.get(name, False))

    return test


def _succeeded(result: Any) -> bool:
    return not _outcome("failed")(result)


def _listed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter that yields return a list, as Ansible does."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> list[Any]:
        return list(function(*args, **kwargs))

    return wrapper


def zipped(*lists: Iterable[Any]) -> list[list[Any]]:
    """Return the lists' items side by side, as many as the shortest has."""
    return [list(items) for items in zip(*lists, strict=False)]


def _both_names(table: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    return {**table, **{f"ansible.builtin.{name}": function for name, function in table.items()}}


FILTERS = _both_names(
    {
        **{name: _listed(JINJA_FILTERS[name]) for name in ("map", "select", "reject", "selectattr", "rejectattr")},
        "unique": _listed(JINJA_FILTERS["unique"]),
        "b64decode": b64decode,
        "b64encode": b64encode,
        "basename": os.path.basename,
        "bool": to_bool,
        "combine": combine,
        "comment": comment,
        "dict2items": dict2items,
        "difference": difference,
        "dirname": os.path.dirname,
        "flatten": flatten,
        "from_json": from_json,
        "hash": digest,
        "intersect": intersect,
        "items2dict": items2dict,
        "mandatory": mandatory,
        "quote": quote,
        "regex_escape": re.escape,
        "regex_findall": regex_findall,
        "regex_replace": regex_replace,
        "regex_search": regex_search,
        "split": split,
        "splitext": os.path.splitext,
        "ternary": ternary,
        "to_json": to_json,
        "to_nice_json": to_nice_json,
        "union": union,
        "version": version,
        "zip": zipped,
    }
) | {"unit_line": unit_line}
"""Ansible's filters by name, and the roles' own. `from_yaml` is not among them: it needs the bundle (lookups.py)."""

TESTS = _both_names(
    {
        "changed": _outcome("changed"),
        "failed": _outcome("failed"),
        "skipped": _outcome("skipped"),
        "succeeded": _succeeded,
        "success": _succeeded,
        "match": matches("match"),
        "search": matches("search"),
        "version": version,
        "subset": lambda part, whole: set(part) <= set(whole),
        "superset": lambda whole, part: set(whole) >= set(part),
        "contains": lambda whole, item: item in whole,
    }
)
"""Ansible's tests by name."""

"""Checks templates before anything runs: valid Jinja, with filters, tests, lookups and facts that the agent has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import TemplateSyntaxError, nodes

from benchrig.agent.nearest import nearest
from benchrig.agent.play import facts, lookups, templating
from benchrig.mistakes import Mistakes
from benchrig.provision.subset import MAGIC
from benchrig.yamlfile import shown


def check(mistakes: Mistakes, where: str, text: str, kind: str) -> None:
    """Check a text of a YAML file that is a template (kind `value`) or an expression (`condition`)."""
    if kind == "condition" or templating.is_template(text):
        for _, message in _mistakes(text, kind):
            mistakes.add(where, message)


def check_file(mistakes: Mistakes, path: Path) -> None:
    """Check a template file."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        mistakes.add(f"{shown(path)}:1", "not UTF-8 text")
        return
    if templating.is_template(text):
        for line, message in _mistakes(text, "file"):
            mistakes.add(f"{shown(path)}:{line}", message)


@cache
def _mistakes(text: str, kind: str) -> tuple[tuple[int, str], ...]:
    """Return what is wrong with a template: lines within it, and messages."""
    if kind == "condition" and text.strip().startswith(("{{", "{%")):
        return ((1, f"write the condition without braces: {text.strip()}"),)
    try:
        return tuple(_unsupported(templating.parse(text.strip() if kind == "condition" else text, kind)))
    except TemplateSyntaxError as error:
        return ((error.lineno, f"not valid Jinja: {error.message}"),)
    except RecursionError:
        return ((1, "not valid Jinja: nested too deeply"),)


def _unsupported(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    known_filters, known_tests = _known()
    for node in tree.find_all((nodes.Filter, nodes.Test, nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Name, *_FOREIGN)):
        message = ""
        if isinstance(node, nodes.Filter) and node.name not in known_filters:
            message = f"unknown filter '{node.name}'; {nearest(node.name, known_filters)}"
        elif isinstance(node, nodes.Test) and node.name not in known_tests:
            message = f"unknown test '{node.name}'; {nearest(node.name, known_tests)}"
        elif isinstance(node, nodes.Call):
            message = _call(node)
        elif isinstance(node, (nodes.Getattr, nodes.Getitem)):
            message = _fact(node)
        elif isinstance(node, nodes.Name):
            message = _name(node)
        elif isinstance(node, _FOREIGN):
            message = f"'{type(node).__name__.lower()}' of other templates is not supported"
        if message:
            yield node.lineno, message


_FOREIGN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


@cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    filters, tests = templating.known()
    return filters | frozenset(lookups.FILTERS), tests


def _call(node: nodes.Call) -> str:
    """Check the plugin's name of `lookup('…')` and `query('…')`."""
    if not (isinstance(node.node, nodes.Name) and node.node.name in ("lookup", "query", "q") and node.args):
        return ""
    first = node.args[0]
    if not isinstance(first, nodes.Const):
        return f"'{node.node.name}' needs the lookup's name as text"
    name = str(first.value).removeprefix("ansible.builtin.")
    return "" if name in lookups.LOOKUPS else f"unknown lookup '{first.value}'; {nearest(name, lookups.LOOKUPS)}"


def _fact(node: nodes.Getattr | nodes.Getitem) -> str:
    """Check the fact's name of `ansible_facts.…` and `ansible_facts['…']`."""
    if not (isinstance(node.node, nodes.Name) and node.node.name == "ansible_facts"):
        return ""
    if isinstance(node, nodes.Getattr):
        name = node.attr
    elif isinstance(node.arg, nodes.Const):
        name = str(node.arg.value)
    else:
        return ""
    if name in facts.FACTS or name in ("get", "keys", "items", "values"):
        return ""
    return f"unknown fact '{name}'; {nearest(name, facts.FACTS)}"


def _name(node: nodes.Name) -> str:
    """Check variables that look like Ansible's own."""
    if node.ctx != "load" or not node.name.startswith("ansible_") or node.name in MAGIC:
        return ""
    fact = node.name.removeprefix("ansible_")
    if fact in facts.FACTS:
        return f"write '{node.name}' as ansible_facts['{fact}']"
    # The inventory's connection variables (ansible_host and its like) are variables as any other.
    if fact in ("host", "port", "user", "become", "ssh_private_key_file"):
        return ""
    return f"unknown variable '{node.name}'; {nearest(node.name, MAGIC)}"

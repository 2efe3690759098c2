"""Jinja as Ansible uses it: a template that is a single expression yields its value, whatever its type; text around it
makes text; a condition must be yes or no; whatever is not defined is an error that names it.

Compiled templates are kept beside the bundle, so that an unchanged run compiles nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.lexer import TOKEN_STRING, TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END, Lexer
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.utils import missing

from ..text import short
from . import filters, stored
from .replacing import replace

Resolve = Callable[[str], Any]
"""Finds the value of a variable, or `missing`."""

OMIT = object()
"""Stands for an argument that is to be left out: `{{ value | default(omit) }}`."""


class TemplateError(Exception):
    """A template cannot be rendered; says why and shows it."""


class NotDefinedError(TemplateError):
    """A template needs something that is not defined."""


class UndefinedValue(StrictUndefined):
    """Something not defined: an error as soon as it is used, while `a.b.c | default(...)` may still replace it."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> Any:
        return self


def is_template(text: str) -> bool:
    """Return whether text has anything for Jinja to do."""
    return "{{" in text or "{%" in text or "{#" in text


class _EscapingLexer(Lexer):
    """Backslashes in expressions of YAML values are as YAML left them: `'\\1'` is a group reference, not character 1."""

    def tokeniter(self, *args: Any, **kwargs: Any) -> Iterator[tuple[int, str, str]]:
        inside = False
        for line, kind, text in super().tokeniter(*args, **kwargs):
            if kind in (TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END):
                inside = kind == TOKEN_VARIABLE_BEGIN
            yield line, kind, text.replace("\\", "\\\\") if inside and kind == TOKEN_STRING else text


class _Generator(NativeCodeGenerator):
    """Keeps the type of a constant that is a whole template: `{{ 5 }}` is a number."""

    def _output_const_repr(self, group: Iterable[Any]) -> str:
        values = list(group)
        return repr(values[0]) if len(values) == 1 else repr("".join(map(str, values)))


class _Context(Context):
    resolve_variable: Resolve

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        value = self.resolve_variable(key)
        return value if value is not missing else self.parent.get(key, missing)


class _Environment(Environment):
    code_generator_class = _Generator
    context_class = _Context

    def __init__(self, escape: bool, **options: Any) -> None:
        super().__init__(undefined=UndefinedValue, optimized=False, **options)
        self.filters.update(filters.FILTERS)
        self.tests.update(filters.TESTS)
        self._lexer = _EscapingLexer(self) if escape else Lexer(self)

    @property
    def lexer(self) -> Lexer:
        return self._lexer


_KINDS = {
    "value": {"escape": True, "trim_blocks": True},
    "condition": {"escape": False, "trim_blocks": True},
    "file": {"escape": False, "trim_blocks": True},
    "file-lstrip": {"escape": False, "trim_blocks": True, "lstrip_blocks": True},
    "file-keep": {"escape": False},
    "file-keep-lstrip": {"escape": False, "lstrip_blocks": True},
}


class Templates:
    """Renders templates, with functions such as `lookup` and filters beyond those every template has."""

    def __init__(self, functions: Mapping[str, Any], more_filters: Mapping[str, Any], cache: Path | None = None) -> None:
        self._functions = functions
        self._filters = more_filters
        self._environments: dict[str, _Environment] = {}
        self._renderers: dict[tuple[str, str], Callable[[Context], Iterator[Any]]] = {}
        self._code: dict[tuple[str, str], CodeType] = {}
        self._cache = cache
        self._new = False
        if cache:
            self._code = _read_code(cache)
        self._loaded = len(self._code)

    def render(self, value: Any, resolve: Resolve) -> Any:
        """Return a value with every template in it rendered, ready to be used. Raises TemplateError."""
        return finished(self.lazily(value, resolve))

    def lazily(self, value: Any, resolve: Resolve) -> Any:
        """Render like `render`, but leave what is not defined in its place, for a `default` filter to replace."""
        if isinstance(value, str):
            return self.text(value, resolve) if is_template(value) else value
        if isinstance(value, Mapping):
            return {key: self.lazily(item, resolve) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.lazily(item, resolve) for item in value]
        return value

    def text(self, source: str, resolve: Resolve, kind: str = "value") -> Any:
        """Render one template; a template that is one expression yields that expression's value."""
        result = self._evaluate(kind, source, resolve)
        if isinstance(result, str):
            lost = _newlines(source) - _newlines(result)
            return result + "\n" * lost if lost > 0 else result
        return result

    def file(self, source: str, resolve: Resolve, *, trim_blocks: bool = True, lstrip_blocks: bool = False) -> str:
        """Render a template file to text. Raises TemplateError."""
        kind = "file" + ("" if trim_blocks else "-keep") + ("-lstrip" if lstrip_blocks else "")
        result = finished(self.text(source, resolve, kind))
        return "" if result is None else str(result)

    def expression(self, source: str, resolve: Resolve) -> Any:
        """Return the value of an expression written without braces. Raises TemplateError."""
        return finished(self._evaluate("condition", source.strip(), resolve))

    def condition(self, condition: str | bool, resolve: Resolve) -> bool:
        """Return whether a condition is true. Raises TemplateError, also when the result is neither yes nor no."""
        if isinstance(condition, bool):
            return condition
        result = self.expression(condition, resolve)
        if not isinstance(result, bool):
            raise TemplateError(
                f"condition '{condition}' is {type(result).__name__}, not yes or no; "
                "write a comparison, '| bool' or '| length > 0'"
            )
        return result

    def save(self, sources: Callable[[], Container[str]]) -> None:
        """Keep the compiled templates for the next run: those of files, and those whose text is one of `sources`.

        Others, from the inventory, may contain a secret between their braces, which must not be stored here.
        """
        if not self._new or self._cache is None:
            return
        allowed = sources()
        kept = {key: code for key, code in self._code.items() if key[0].startswith("file") or key[1] in allowed}
        if len(kept) > self._loaded:
            # It only saves time: a full disk is not to end the run here.
            with contextlib.suppress(OSError):
                data = marshal.dumps(kept)
                replace(self._cache, hashlib.sha256(data).digest() + data)

    def _evaluate(self, kind: str, source: str, resolve: Resolve) -> Any:
        environment = self._environment(kind)
        try:
            renderer = self._renderers.get((kind, source)) or self._renderer(environment, kind, source)
            context = _Context(environment, environment.globals, None, {})
            context.resolve_variable = resolve
            return _joined(renderer(context))
        except UndefinedError as error:
            raise NotDefinedError(_shown(str(error.message), source)) from None
        except TemplateError:
            raise
        except TemplateSyntaxError as error:
            raise TemplateError(_shown(f"not valid Jinja: {error.message}", source)) from None
        except RecursionError:
            raise TemplateError(_shown("a variable refers to itself", source)) from None
        except Exception as error:
            raise TemplateError(_shown(str(error) or type(error).__name__, source)) from None

    def _environment(self, kind: str) -> _Environment:
        if kind not in self._environments:
            environment = self._environments[kind] = _Environment(**_KINDS[kind])
            environment.globals.update(self._functions, omit=OMIT)
            environment.filters.update(self._filters)
        return self._environments[kind]

    def _renderer(self, environment: _Environment, kind: str, source: str) -> Callable[[Context], Iterator[Any]]:
        code = self._code.get((kind, source))
        if code is None:
            code = self._code[kind, source] = compile_template(environment, kind, source)
            self._new = True
        namespace: dict[str, Any] = {"environment": environment, "__file__": "<template>"}
        exec(code, namespace)
        renderer: Callable[[Context], Iterator[Any]] = namespace["root"]
        self._renderers[kind, source] = renderer
        return renderer


def _read_code(cache: Path) -> dict[tuple[str, str], CodeType]:
    """Return the compiled templates of a cache; none when it is not there or damaged.

    Only root can write there, and a cache of another Python or agent has another name. But a power cut may have damaged it,
    and reading damaged code can end Python itself.
    """
    try:
        with stored.opened(cache) as file:
            content = file.read()
    except OSError:
        return {}
    size = hashlib.sha256().digest_size
    if hashlib.sha256(content[size:]).digest() != content[:size]:
        return {}
    code: dict[tuple[str, str], CodeType] = marshal.loads(content[size:])
    return code


def parse(source: str, kind: str) -> nodes.Template:
    """Return a template's syntax tree; kind `condition` is an expression without braces. Raises TemplateSyntaxError."""
    return _parse(_parsing(kind), kind, source)


@cache
def _parsing(kind: str) -> _Environment:
    return _Environment(**_KINDS[kind])


def known() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the filters and of the tests that every template has."""
    environment = _Environment(escape=False)
    return frozenset(environment.filters), frozenset(environment.tests)


def _parse(environment: _Environment, kind: str, source: str) -> nodes.Template:
    if kind != "condition":
        return environment.parse(source)
    parser = Parser(environment, source, state="variable")
    expression = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError("unexpected text after the expression", parser.stream.current.lineno, None, None)
    tree = nodes.Template([nodes.Output([expression], lineno=1)], lineno=1)
    tree.set_environment(environment)
    return tree


def compile_template(environment: _Environment, kind: str, source: str) -> CodeType:
    """Compile a template to Python code."""
    return environment.compile(_parse(environment, kind, source), None, "<template>")


def cache_name() -> str:
    """Return the file name for compiled templates of this Python and this agent."""
    return f".templates-{sys.implementation.cache_tag}-{Path(__file__).parents[2].name}"


def finished(value: Any) -> Any:
    """Return a rendered value as plain data: lists for all that is iterated, nothing undefined, nothing to be omitted."""
    if isinstance(value, (str, int, float)) or value is None or value is OMIT:
        return value
    if isinstance(value, Undefined):
        raise NotDefinedError(value._undefined_message)
    if isinstance(value, Mapping):
        return {key: finished(item) for key, item in value.items() if item is not OMIT}
    if isinstance(value, (bytes, bytearray)):
        return value.decode(errors="replace")
    if isinstance(value, Iterable):
        return [finished(item) for item in value if item is not OMIT]
    return value


def _joined(parts: Iterator[Any]) -> Any:
    """Put a template's parts together: one part is itself, several are text."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    return present[0] if len(present) == 1 else "".join(map(str, present))


def _newlines(text: str) -> int:
    return len(text) - len(text.rstrip("\n"))


def _shown(reason: str, source: str) -> str:
    return f"{reason} (in: {short(' '.join(source.split()))})"

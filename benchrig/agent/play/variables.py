"""The variables of a run, in Ansible's order of precedence; each is rendered when it is asked for, and then remembered until
something it was made of changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2.utils import missing

from .templating import NotDefinedError, Templates, UndefinedValue

Layer = Mapping[str, Any]


class Variables:
    """Variables by name. Those from files may contain templates; values that tasks set are never rendered.

    `learn` is told every variable that gets a value, for there may be secrets among them.
    """

    def __init__(
        self, templates: Templates, facts: Layer, extra: Layer, learn: Callable[[str, object], None] = lambda _, __: None
    ) -> None:
        self.templates = templates
        self.learn = learn
        self._item: dict[str, Any] = {}
        self._extra = extra
        self._magic: Layer = {}
        self._found: Layer = {}
        """Registered results and facts that were set."""
        self._task: Layer = {}
        self._files: Layer = {}
        self._facts = facts
        self._below: Layer = {}
        self._values: dict[str, Any] = {}
        self._made_of: dict[str, set[str]] = {}
        self._asking: list[tuple[str, set[str]]] = []

    def enter(self, magic: Layer, below: Layer, files: Layer) -> None:
        """Take the variables of a role: those Ansible itself sets, those `below` the facts (defaults, inventory), and those
        above them (play, role)."""
        self._magic, self._below, self._files = magic, below, files
        self._values.clear()

    def set_task(self, variables: Layer) -> None:
        """Take the variables of a task, instead of the last one's."""
        for name in {*self._task, *variables}:
            self._forget(name)
        self._task = variables

    def set_item(self, item: Mapping[str, Any]) -> None:
        """Take the variables of a loop's item, instead of the last one's."""
        for name in {*self._item, *item}:
            self._forget(name)
            if name in item:
                self.learn(name, item[name])
        self._item = dict(item)

    def set(self, name: str, value: Any) -> None:
        """Keep what a task found out, for the tasks after it."""
        self._forget(name)
        # What tasks found out is among this host's variables in `hostvars` too.
        self.forget_hostvars()
        self.learn(name, value)
        self._found = {**self._found, name: value}

    def as_hostvars(self, magic: Layer, below: Layer) -> Variables:
        """Return this host's variables as `hostvars` has them: no role's or task's, but what tasks found out."""
        return self.of_host(magic, below, self._found, self._facts)

    def of_host(self, magic: Layer, below: Layer, found: Layer, facts: Layer) -> Variables:
        """Return the variables of any host as `hostvars` has them; `found` is what its tasks found out."""
        variables = Variables(self.templates, facts, self._extra, self.learn)
        variables.enter(magic, below, {})
        variables._found = found
        return variables

    def names(self) -> tuple[str, ...]:
        """Return the names of the variables that are not Ansible's own, a task's or a file's."""
        return tuple(dict.fromkeys([*self._below, *self._facts, *self._found, *self._extra]))

    def forget_hostvars(self) -> None:
        """Forget what was made of other hosts' variables, for they may have changed."""
        self._forget("hostvars")

    def resolve(self, name: str) -> Any:
        """Return a variable's value, or jinja2's `missing`. Raises TemplateError."""
        if self._asking:
            self._asking[-1][1].add(name)
        if name not in self._values:
            self._values[name] = self._value(name)
        if self._asking:
            self._asking[-1][1].update(self._made_of.get(name, ()))
        return self._values[name]

    def render(self, value: Any) -> Any:
        """Return a value with its templates rendered. Raises TemplateError."""
        return self.templates.render(value, self.resolve)

    def condition(self, condition: str | bool) -> bool:
        """Return whether a condition is true. Raises TemplateError."""
        return self.templates.condition(condition, self.resolve)

    def _value(self, name: str) -> Any:
        for layer, templated in (
            (self._item, False),
            (self._extra, True),
            (self._magic, False),
            (self._found, False),
            (self._task, True),
            (self._files, True),
            (self._facts, False),
            (self._below, True),
        ):
            if name in layer:
                if not templated:
                    return layer[name]
                value = self._rendered(name, layer[name])
                self.learn(name, value)
                return value
        return missing

    def _rendered(self, name: str, value: Any) -> Any:
        if not isinstance(value, (str, list, dict)):
            return value
        if any(name == other for other, _ in self._asking):
            chain = " -> ".join([*(other for other, _ in self._asking), name])
            return UndefinedValue(hint=f"variable '{name}' refers to itself: {chain}")
        used: set[str] = set()
        self._asking.append((name, used))
        try:
            return self.templates.lazily(value, self.resolve)
        except NotDefinedError as error:
            return UndefinedValue(hint=str(error))
        finally:
            self._asking.pop()
            self._made_of[name] = used

    def _forget(self, name: str) -> None:
        self._values.pop(name, None)
        for other in [other for other, used in self._made_of.items() if name in used]:
            self._values.pop(other, None)

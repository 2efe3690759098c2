"""Reads and checks task files: keys, arguments of modules, templates; imported tasks take the place of the import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from benchrig import yamlfile
from benchrig.agent import spec
from benchrig.agent.play import modules
from benchrig.agent.play.plan import Task
from benchrig.mistakes import Mistakes
from benchrig.provision import templates
from benchrig.provision.subset import ACTIONS, IMPORT_TASKS, KEYWORDS, META, TaskKeys, action_mistake, conditions
from benchrig.yamlfile import Document


@dataclass(frozen=True)
class Inherited:
    """What a task has from what it is in: the role's entry in the play, and the tasks that imported it."""

    tags: tuple[str, ...] = ()
    when: tuple[Any, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    become: bool = False
    become_user: str = ""
    no_log: bool = False

    def within(self, keys: TaskKeys) -> Inherited:
        """Return what the tasks have that these keys are set around."""
        return Inherited(
            tags=tuple(dict.fromkeys((*self.tags, *keys.tags))),
            when=(*self.when, *conditions(keys.when)),
            vars={**self.vars, **(keys.vars or {})},
            environment={**self.environment, **(keys.environment or {})},
            become=self.become if keys.become is None else keys.become,
            become_user=keys.become_user or self.become_user,
            no_log=keys.no_log or self.no_log,
        )


class TaskReader:
    """Reads and checks the task files of a role."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes
        self._reading: list[Path] = []

    def read(self, path: Path, inherited: Inherited, *, handlers: bool = False) -> Iterator[Task]:
        """Yield the tasks of a file, and of those it imports."""
        document = self._mistakes.attempt(yamlfile.shown(path), yamlfile.read, path)
        if document is None:
            return
        if not isinstance(document.data or [], list):
            self._wrong(document, (), f"expected a list of tasks, found {spec.describe(document.data)}")
            return
        self._reading.append(path)
        for index, data in enumerate(document.data or []):
            yield from self._task(document, index, data, inherited, handlers=handlers)
        self._reading.pop()

    def _wrong(self, document: Document, path: spec.Path, message: str) -> None:
        self._mistakes.add(document.where(path), message)

    def _task(self, document: Document, index: int, data: Any, inherited: Inherited, *, handlers: bool) -> Iterator[Task]:
        if not isinstance(data, Mapping):
            self._wrong(document, (index,), f"expected a task, found {spec.describe(data)}")
            return
        action = self._action(document, index, data)
        keys = self._keys(document, index, data, handlers=handlers)
        if action is None or keys is None:
            return
        if action == IMPORT_TASKS:
            yield from self._import(document, index, data[action], keys, inherited)
        elif action == META:
            yield from self._meta(document, index, data[action], keys, inherited)
        else:
            yield self._module(document, index, action, data[action], keys, inherited)

    def _action(self, document: Document, index: int, data: Mapping[str, Any]) -> str | None:
        """Return what the task does, and note every key that is none."""
        found = [str(key) for key in data if key not in KEYWORDS]
        known = [name for name in found if name in ACTIONS]
        for name in found:
            if name not in ACTIONS:
                self._wrong(document, (index, name), action_mistake(name))
        if len(known) > 1:
            self._wrong(document, (index, known[1]), f"a task can have one module; this one has {' and '.join(known)}")
        if not found:
            self._wrong(document, (index,), "the task has no module")
        return known[0] if len(known) == 1 and len(found) == 1 else None

    def _keys(self, document: Document, index: int, data: Mapping[str, Any], *, handlers: bool) -> TaskKeys | None:
        words = {str(key): value for key, value in data.items() if key in KEYWORDS}
        keys = self._mistakes.attempt(document.where((index,)), document.part, TaskKeys, words, (index,))
        if keys is None:
            return None
        for path, message in _contradictions(keys, words, handlers=handlers):
            self._wrong(document, (index, *path), message)
        return keys

    def _import(self, document: Document, index: int, data: Any, keys: TaskKeys, inherited: Inherited) -> Iterator[Task]:
        name = data.get("file") if isinstance(data, Mapping) and set(data) == {"file"} else data
        place: spec.Path = (index, IMPORT_TASKS)
        for word in ("loop", "register", "notify", "changed_when", "failed_when", "ignore_errors", "check_mode"):
            if getattr(keys, word) not in (None, (), "", False):
                self._wrong(
                    document, (index, word), f"import_tasks does not support '{word}'; write it in the imported tasks"
                )
        if not isinstance(name, str) or "{{" in name:
            self._wrong(document, place, "expected the name of a task file, without templates")
            return
        path = (document.path.parent / name).resolve()
        if not path.is_file():
            self._wrong(document, place, f"there is no file '{name}' beside this one")
        elif path in self._reading:
            self._wrong(document, place, f"'{name}' imports itself")
        else:
            self._templates(document, (index,), keys)
            yield from self.read(path, inherited.within(keys))

    def _meta(self, document: Document, index: int, data: Any, keys: TaskKeys, inherited: Inherited) -> Iterator[Task]:
        if data != "flush_handlers":
            self._wrong(document, (index, META), f"expected flush_handlers, found {spec.describe(data)}")
        for item in fields(keys):
            if item.name not in ("name", "tags") and getattr(keys, item.name) != item.default:
                self._wrong(document, (index, item.name), f"flush_handlers does not support '{item.name}'")
        where, tags = document.where((index,)), inherited.within(keys).tags
        yield Task(keys.name or "Flush handlers", where, META, data, tags=tags)

    def _module(self, document: Document, index: int, action: str, data: Any, keys: TaskKeys, inherited: Inherited) -> Task:
        module = modules.load(action)
        try:
            module.build(module.named(data), templates=True)
        except spec.SpecError as error:
            for mistake in error.mistakes:
                self._wrong(document, (index, action, *mistake.path), f"{action}: {mistake.message}")
        self._templates(document, (index,), keys)
        for path, value in texts(data, (index, action)):
            kind = "condition" if len(path) > 2 and path[2] in module.raw else "value"
            templates.check(self._mistakes, document.where(path), value, kind)
        around = inherited.within(keys)
        if around.become_user and not around.become:
            self._wrong(document, (index, "become_user"), "'become_user' has no effect without 'become: true'")
        return _task(document, index, action, data, keys, around)

    def _templates(self, document: Document, path: spec.Path, keys: TaskKeys) -> None:
        for word in ("when", "changed_when", "failed_when"):
            for position, condition in enumerate(conditions(getattr(keys, word))):
                place = (*path, word, position)
                if isinstance(condition, str):
                    templates.check(self._mistakes, document.where(place), condition, "condition")
                elif not isinstance(condition, bool):
                    self._wrong(document, place, f"expected a condition, found {spec.describe(condition)}")
        rendered = {
            "name": keys.name,
            "loop": keys.loop,
            "loop_control": keys.loop_control.label,
            "vars": keys.vars,
            "environment": keys.environment,
            "ignore_errors": keys.ignore_errors,
            "become_user": keys.become_user,
        }
        for word, value in rendered.items():
            for place, text in texts(value, (*path, word)):
                templates.check(self._mistakes, document.where(place), text, "value")


def _task(document: Document, index: int, action: str, data: Any, keys: TaskKeys, around: Inherited) -> Task:
    return Task(
        name=keys.name or action,
        where=document.where((index,)),
        module=action,
        arguments=data,
        when=tuple(condition for condition in around.when if condition is not True),
        loop=keys.loop,
        loop_var=keys.loop_control.loop_var,
        label=keys.loop_control.label,
        register=keys.register,
        notify=keys.notify,
        listen=keys.listen,
        tags=around.tags,
        changed_when=conditions(keys.changed_when),
        failed_when=conditions(keys.failed_when),
        ignore_errors=keys.ignore_errors,
        check_mode=keys.check_mode,
        become_user=around.become_user if around.become else "",
        vars=around.vars,
        environment=around.environment,
        no_log=around.no_log,
    )


def _contradictions(keys: TaskKeys, words: Mapping[str, Any], *, handlers: bool) -> Iterator[tuple[spec.Path, str]]:
    """Yield what is wrong with a task's keys together."""
    if keys.listen and not handlers:
        yield ("listen",), "only handlers listen"
    if handlers and not keys.name:
        yield (), "a handler needs a name"
    if keys.become is False:
        yield ("become",), "the whole play runs as root; name another user with 'become_user'"
    for path, name in ((("register",), keys.register), (("loop_control", "loop_var"), keys.loop_control.loop_var)):
        if name and not name.isidentifier():
            yield path, f"'{name}' is not a variable name"
    yield from _loop_mistakes(keys, words)
    if any("{{" in name for name in keys.notify):
        yield ("notify",), "expected handlers' names, without templates"
    if not isinstance(keys.ignore_errors, bool) and "{{" not in str(keys.ignore_errors):
        yield ("ignore_errors",), f"expected yes or no, found {spec.describe(keys.ignore_errors)}"


def _loop_mistakes(keys: TaskKeys, words: Mapping[str, Any]) -> Iterator[tuple[spec.Path, str]]:
    if keys.loop is not None and not isinstance(keys.loop, (list, tuple)) and "{{" not in str(keys.loop):
        yield ("loop",), f"expected a list or a template, found {spec.describe(keys.loop)}"
    if "loop_control" in words and keys.loop is None:
        yield ("loop_control",), "'loop_control' needs 'loop'"


def texts(value: Any, path: spec.Path) -> Iterator[tuple[spec.Path, str]]:
    """Yield every text within a value with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))

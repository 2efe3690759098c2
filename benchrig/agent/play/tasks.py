"""Runs one task as Ansible does: loop, condition, arguments, module, result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .. import causes, spec
from . import modules
from .become import as_user
from .events import Event, ItemDone, Status, TaskStarted
from .handlers import Notifications
from .modules.base import Context, ModuleError, NotYetKnownError, Result, environment
from .modules.contract import Module
from .plan import Task
from .templating import OMIT, NotDefinedError, TemplateError
from .variables import Variables

A = TypeVar("A")

HIDDEN = "output hidden by 'no_log: true'"

_SHOWN_BYTES = 8000
"""How much of a failed command's output is sent, from its end."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a task, over all items of its loop."""

    changed: bool = False
    failed: bool = False
    skipped: bool = False
    ignored: bool = False


class Runner:
    """Runs tasks on this host. `report` is told when a task starts, and the result of each of its items; `made`, each
    variable that a task made, and whether it did under `no_log`."""

    def __init__(
        self,
        context: Context,
        check: bool,
        report: Callable[[Event], None],
        made: Callable[[str, Any, bool], None],
        notifications: Notifications,
    ) -> None:
        self._context = context
        self._check = check
        self._report = report
        self._made = made
        self._notifications = notifications
        self._ignore = False

    @property
    def _variables(self) -> Variables:
        return self._context.variables

    def run(self, task: Task, role: str, *, handler: bool = False) -> Outcome:
        """Run a task and register its result."""
        self._variables.set_task(task.vars)
        self._context.check = self._check if task.check_mode is None else task.check_mode
        self._report(TaskStarted(self._name(task), role, task.where, handler))
        try:
            self._ignore = self._ignores(task)
            items = self._items(task)
        except TemplateError as error:
            self._ignore = False
            self._notifications.begin(task)
            return self._whole(task, self._finish(task, "", _failure(str(error)), time.perf_counter()))
        if items is None:
            return self._whole(task, self._one(task, ""))
        return self._loop(task, items)

    def _name(self, task: Task) -> str:
        try:
            return str(self._variables.render(task.name))
        except TemplateError:
            return task.name

    def _loop(self, task: Task, items: Sequence[Any]) -> Outcome:
        results = []
        for item in items:
            self._variables.set_item({task.loop_var: item, "ansible_loop_var": task.loop_var})
            results.append(
                {**self._one(task, self._label(task, item)), task.loop_var: item, "ansible_loop_var": task.loop_var}
            )
        self._variables.set_item({})
        if not items:
            self._report(ItemDone("skipped", message="the loop has no items"))
        skipped = all(result.get("skipped", False) for result in results)
        whole: dict[str, Any] = {
            "results": results,
            "changed": any(result["changed"] for result in results),
            "failed": any(result["failed"] for result in results),
            "skipped": skipped,
            "msg": "All items skipped" if skipped else "All items completed",
        }
        return self._whole(task, whole)

    def _whole(self, task: Task, result: dict[str, Any]) -> Outcome:
        """Register a task's result and return how it fared."""
        if task.register:
            self._variables.set(task.register, result)
            self._made(task.register, result, task.no_log)
        skipped, failed = bool(result.get("skipped", False)), bool(result["failed"])
        ignored = failed and self._ignore
        return Outcome(bool(result["changed"]), failed and not ignored, skipped, ignored)

    def _ignores(self, task: Task) -> bool:
        if isinstance(task.ignore_errors, bool):
            return task.ignore_errors
        return spec.truth(self._variables.render(task.ignore_errors)) is True

    def _items(self, task: Task) -> Sequence[Any] | None:
        """Return the items to loop over, or None when the task has no loop."""
        if task.loop is None:
            return None
        try:
            items = self._variables.render(task.loop)
        except NotDefinedError:
            # As in Ansible, the list of a task that is not to run need not be there.
            if all(self._variables.condition(condition) for condition in task.when):
                raise
            return ()
        if not isinstance(items, list):
            raise TemplateError(f"'loop' needs a list, found {spec.describe(items)}")
        return items

    def _label(self, task: Task, item: Any) -> str:
        if task.label:
            try:
                return str(self._variables.render(task.label))
            except TemplateError:
                return task.label
        if isinstance(item, Mapping):
            return str(next((item[key] for key in ("name", "key", "path", "dest", "src") if key in item), dict(item)))
        return str(item)

    def _one(self, task: Task, label: str) -> dict[str, Any]:
        """Run a task once, report it, and return its result as Ansible would register it."""
        started = time.perf_counter()
        self._notifications.begin(task)
        try:
            for condition in task.when:
                if not self._variables.condition(condition):
                    result = _values(Result(skipped=True))
                    result |= {"skip_reason": "Conditional result was False", "false_condition": condition}
                    skipped = Result(skipped=True, message=f"condition is false: {condition}")
                    return self._finish(task, label, (skipped, result), started)
            outcome = self._judged(task, *self._module(task))
        except TemplateError as error:
            outcome = _failure(str(error))
        return self._finish(task, label, outcome, started)

    def _module(self, task: Task) -> tuple[Result, dict[str, Any]]:
        """Render the arguments, run the module, and return what it did with what is registered of it."""
        try:
            module = modules.load(task.module)
            args = self._arguments(task, module)
            variables = self._variables.render(dict(task.environment))
            self._variables.learn("environment", variables)
            with environment(variables):
                result = self._started(task, module, args)
        except ModuleError as failure:
            return _failure(str(failure), **failure.values)
        except NotYetKnownError as unknown:
            result = Result(changed=True, message=str(unknown), opaque=True)
        except spec.SpecError as error:
            return _failure(f"{task.module}: {error}")
        except OSError as error:
            return _failure(f"{error.filename or task.module}: {(error.strerror or str(error)).lower()}")
        except TemplateError:
            raise
        except Exception as error:
            # A module that breaks is a failed task too, so that the tasks before it are still reported and counted.
            return _failure(f"{task.module}: {type(error).__name__}: {error}")
        return result, _values(result)

    def _started(self, task: Task, module: Module[A], args: A) -> Result:
        """Run the module, as another user if the task says so."""
        work = module.start(args, self._context)
        if not task.become_user or module.raw:
            return work()
        # What waits to be sent must not be sent again by the child.
        self._context.slow()
        if not self._context.check:
            # The child has not the rights to note handlers.
            self._context.changing()
        return as_user(str(self._variables.render(task.become_user)), work)

    def _arguments(self, task: Task, module: Module[A]) -> A:
        data = module.named(task.arguments)
        rendered = {key: value if key in module.raw else self._variables.render(value) for key, value in data.items()}
        return module.build({key: value for key, value in rendered.items() if value is not OMIT})

    def _judged(self, task: Task, result: Result, values: dict[str, Any]) -> tuple[Result, dict[str, Any]]:
        """Apply `changed_when` and `failed_when`, which may look at the result itself."""
        if values.get("skipped", False) or not (task.changed_when or task.failed_when):
            return result, values
        if task.register:
            self._variables.set(task.register, values)
        if task.changed_when:
            values["changed"] = all(map(self._variables.condition, task.changed_when))
        if task.failed_when:
            if task.register:
                self._variables.set(task.register, values)
            failed = all(map(self._variables.condition, task.failed_when))
            values["failed"] = values["failed_when_result"] = failed
        return result, values

    def _finish(self, task: Task, label: str, outcome: tuple[Result, dict[str, Any]], started: float) -> dict[str, Any]:
        """Report one result, keep what it sets, and return what is registered."""
        result, values = self._noted(outcome)
        for name, value in result.set.items():
            self._variables.set(name, value)
            self._made(name, value, task.no_log)
        if self._context.check:
            self._context.promises.note(task.name, result)
        if values["changed"]:
            self._context.forget()
        self._report(self._event(task, label, result, values, time.perf_counter() - started))
        return values

    def _noted(self, outcome: tuple[Result, dict[str, Any]]) -> tuple[Result, dict[str, Any]]:
        """Keep the handlers of an item that changed something, or may have; else take them back. Return its result."""
        _, values = outcome
        try:
            self._notifications.end(self._status(values))
        except ModuleError as failure:
            return _failure(str(failure), changed=True)
        return outcome

    def _event(self, task: Task, label: str, result: Result, values: dict[str, Any], seconds: float) -> ItemDone:
        status = self._status(values)
        if task.no_log:
            return ItemDone(status, message=HIDDEN if status != "ok" else "", seconds=seconds)
        if status == "ok":
            return ItemDone(status, label, output=result.output)
        failed = status in ("failed", "ignored")
        message = _message(result, values)
        said = (_tail(values.get(name, "")) for name in ("stderr", "stdout"))
        return ItemDone(
            status,
            label,
            message=message,
            hint=causes.cure(message, *said) if status == "failed" else "",
            diff=result.diff if self._context.diff else "",
            output=result.output,
            stdout=_tail(values.get("stdout", "")) if failed else "",
            stderr=_tail(values.get("stderr", "")) if failed else "",
            rc=values.get("rc") if failed else None,
            seconds=seconds,
        )

    def _status(self, values: dict[str, Any]) -> Status:
        if values["failed"]:
            return "ignored" if self._ignore else "failed"
        if values.get("skipped", False):
            return "skipped"
        return "changed" if values["changed"] else "ok"


def _message(result: Result, values: Mapping[str, Any]) -> str:
    if values.get("failed_when_result") and not result.failed:
        return "'failed_when' is true"
    return result.message


def _values(result: Result) -> dict[str, Any]:
    """Return what a task registers of a result, in Ansible's terms."""
    values = {"changed": result.changed, "failed": result.failed, **result.values}
    if result.message and "msg" not in values:
        values["msg"] = result.message
    if result.skipped:
        values["skipped"] = True
    return values


def _failure(message: str, **values: Any) -> tuple[Result, dict[str, Any]]:
    changed = bool(values.pop("changed", False))
    result = Result(changed=changed, failed=True, message=message, values=values)
    return result, _values(result)


def _tail(text: Any) -> str:
    return str(text)[-_SHOWN_BYTES:]

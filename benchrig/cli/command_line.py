"""Reads the command line before Invoke does: words without a flag, `--help` behind a task, and every mistake in it.

Invoke's parser then only gets what it understands, so that none of its error texts is ever matched or shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext, to_flag

from benchrig import reading
from benchrig.agent.nearest import nearest
from benchrig.agent.text import short
from benchrig.cli.task import ROOT, SHARED
from benchrig.errors import InputError

HELP = ("--help", "-h")

WITHOUT_VALUE = {"resume": "interrupted"}
"""What a flag means whose value may be left out: Invoke would not know a task from a value behind such a flag."""

NAMED_BY_FILE = {"suite": ROOT / "configs" / "suites", "inventory": ROOT / "inventory"}
"""Flags whose values are names of files in a folder."""


class CommandLine:
    """The state of reading a command line, word by word.

    `core` has the flags that stand before the tasks, `tasks` what Invoke knows of each task, `words` the parameters
    of each task that need no flag, in their order, and `rests` the tasks that take all words behind them.
    """

    def __init__(
        self,
        core: ParserContext,
        tasks: Iterable[ParserContext],
        words: Mapping[str, Sequence[str]],
        rests: Collection[str] = (),
    ) -> None:
        self.core = core
        self.rests = rests
        self.own = {str(context.name): context for context in tasks}
        self.words = words
        self.shared = {name: _owner(name, self.own.values()) for name in SHARED}
        self.tokens: list[str] = []
        """The words read, each word without a flag written as the flag it stands for."""
        self.tasks: list[str] = []
        """The tasks read, in their order."""
        self.awaiting = ""
        """The flag whose value comes next."""
        self.may_take = ""
        """The flag whose value may come next."""
        self.missing: list[str] = []
        """The required words of the task that have not come yet."""
        self.optional: list[str] = []
        """The parameters that the next words without a flag are for."""
        self.help = False
        """Whether help was asked for, behind the last of the tasks."""
        self._meant: list[str] = []
        self._given: list[tuple[str, str, str]] = []
        """The flags given that hold for the whole chain, each with its parameter and the task it stands behind."""

    @property
    def task(self) -> str:
        """The task whose flags are read; empty before the first."""
        return self.tasks[-1] if self.tasks else ""

    def read(self, tokens: Iterable[str]) -> None:
        """Read the words up to a request for help. Raises InputError for the first mistake."""
        tokens = list(tokens)
        self._meant = [token for token in tokens if token in self.own]
        for token in tokens:
            self.feed(token)
            if self.help:
                return
        self._end()

    def feed(self, token: str) -> None:
        """Read one word. Raises InputError for a mistake."""
        if token in HELP and self.task:
            self.help = True
            return
        if self.may_take and self._end_flag(token):
            return
        if self.awaiting:
            if not token or self.argument(token):
                raise _lacks_value(self.awaiting)
            self.awaiting = ""
        elif token.startswith("-") and (token != "-" or not (self.missing or self.optional)):
            self._read_flag(token)
        elif self.missing:
            del self.missing[0]
        elif token in self.own and self.task not in self.rests:
            self._begin(token)
        else:
            token = self._word(token)
        if not self.may_take:
            self.tokens.append(token)

    def argument(self, flag: str) -> Argument | None:
        """Return what a flag sets here, be it the task's own or one that holds for the whole chain; None if unknown."""
        context = self.own[self.task] if self.task else self.core
        name = context.inverse_flags.get(flag, flag)
        if name in context.flags:
            found: Argument = context.flags[name]
            return found
        if not self.task:
            return None
        return next((one for one in self.shared.values() if one and flag in map(to_flag, one.names)), None)

    def flags(self) -> list[str]:
        """Return the flags that may stand here."""
        context = self.own[self.task] if self.task else self.core
        shared = [to_flag(name) for name, one in self.shared.items() if one and self.task]
        return list(dict.fromkeys([*context.flag_names(), *shared, *HELP]))

    def contexts(self) -> list[ParserContext]:
        """Return the tasks for Invoke's parser: each also takes the flags that hold for the whole chain."""
        for name, argument in self.shared.items():
            for context in self.own.values():
                if argument and name not in context.args:
                    names = [one for one in argument.names if to_flag(one) not in context.flags]
                    context.add_arg(names=names, kind=argument.kind, attr_name=argument.attr_name)
        return list(self.own.values())

    def _begin(self, task: str) -> None:
        self.tasks.append(task)
        self.missing = [str(argument.name) for argument in self.own[task].positional_args]
        self.optional = [*self.words.get(task, ())]

    def _read_flag(self, token: str) -> None:
        name, equals, value = token.partition("=")
        if len(name) > 2 and not name.startswith("--"):
            self._read_short(name)
            return
        argument = self._known(name)
        if argument.takes_value:
            if equals and not value:
                raise _lacks_value(name)
            if argument.name in WITHOUT_VALUE and self.task:
                self.may_take = "" if equals else name
            else:
                self.awaiting = "" if equals else name
        elif equals:
            raise InputError(f"flag '{name}' takes no value")

    def _read_short(self, token: str) -> None:
        """Read `-ilab`, a short flag with its value, or `-ab`, short flags without values."""
        if self._known(token[:2]).takes_value:
            return
        for letter in token[2:]:
            if self._known(f"-{letter}").takes_value:
                raise _lacks_value(f"-{letter}")

    def _known(self, flag: str) -> Argument:
        argument = self.argument(flag)
        if argument is None:
            raise self._unknown_flag(flag, self.task)
        if argument in self.shared.values():
            self._given.append((flag, str(argument.name), self.task))
        return argument

    def _word(self, token: str) -> str:
        """Return a word without a flag as the flag that it stands for. Raises InputError where no word is expected."""
        if not self.optional:
            raise self._unknown_task(token)
        if not token:
            raise InputError(f"{self.optional[0].upper()} of task '{self.task}' is empty")
        name = self.optional[0]
        # A parameter that takes several words takes all of them.
        if self.own[self.task].args[name].kind is not list:
            del self.optional[0]
        return f"--{name}={token}"

    def _end_flag(self, token: str | None = None) -> bool:
        """Write the flag whose value may come next, and say whether `token` is that value."""
        flag, self.may_take = self.may_take, ""
        found = self.argument(flag)
        is_value = token is not None and not token.startswith("-") and token not in self.own
        if is_value and not token:
            raise _lacks_value(flag)
        self.tokens.append(f"{flag}={token if is_value else WITHOUT_VALUE[str(found.name) if found else '']}")
        return is_value

    def _end(self) -> None:
        if self.may_take:
            self._end_flag()
        if self.awaiting:
            raise _lacks_value(self.awaiting)
        if self.missing:
            names = ", ".join(self.missing).upper()
            raise InputError(f"task '{self.task}' lacks {names}; see ./inv {self.task} --help")
        for flag, name, task in self._given:
            if not any(name in self.own[one].args for one in self.tasks):
                raise self._unknown_flag(flag, task)

    def _unknown_task(self, name: str) -> InputError:
        for flag, folder in NAMED_BY_FILE.items():
            if self.task and flag in self.own[self.task].args and _names_a_file(folder, name):
                return InputError(f"unknown task '{name}'; did you mean ./inv {self.task} --{flag} {name}?")
        return InputError(f"unknown task '{short(name)}'; {nearest(name, self.own)}")

    def _unknown_flag(self, flag: str, task: str) -> InputError:
        if task and flag in self.core.flags:
            return InputError(f"flag '{flag}' belongs before the tasks: ./inv {flag}")
        for other in self.tasks or self._meant or self.own:
            if flag in self.own[other].flags:
                return InputError(f"flag '{flag}' belongs after its task: ./inv {other} {flag}")
        context, of_task = (self.own[task], f" of task '{task}'") if task else (self.core, "")
        # One letter is like any other: only long flags are near.
        known = [name for name in context.flags if name.startswith("--")]
        return InputError(f"unknown flag '{short(flag)}'{of_task}; {nearest(flag, known)}")


def _owner(name: str, contexts: Iterable[ParserContext]) -> Argument | None:
    """Return the parameter `name` of the first task that has it."""
    return next((context.args[name] for context in contexts if name in context.args), None)


def _names_a_file(folder: Path, name: str) -> bool:
    return reading.is_file(folder / f"{name}.yml")


def _lacks_value(flag: str) -> InputError:
    return InputError(f"flag '{flag}' lacks its value")

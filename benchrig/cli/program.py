"""What `./inv` runs: Invoke, with tasks in the order of the story, words without a flag, and nearest names for mistakes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext, to_flag
from invoke.program import Program
from invoke.vendor.yaml import YAMLError

from benchrig import __version__
from benchrig.cli.task import HELD, ROOT
from benchrig.errors import ExitCode, nearest

NAMED_BY_FILE = {"suite": ROOT / "configs" / "suites", "inventory": ROOT / "inventory"}
"""Flags whose values are names of files in a folder."""


class BenchrigProgram(Program):
    """Invoke's own program; it differs in how it lists and explains tasks, in what it reads as a flag, and in its errors."""

    def parse_collection(self) -> None:
        """Load the tasks and Invoke's configuration; a configuration that is no YAML is one line, and exit code 2."""
        try:
            super().parse_collection()
        except YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{mark.name}:{mark.line + 1}" if mark else "Invoke's configuration"
            raise Exit(f"error: {where}: not valid YAML", ExitCode.BAD_INPUT) from None

    def parse_tasks(self) -> None:
        """Read the tasks and their flags; a mistake is one line with the nearest valid names, and exit code 2."""
        self.own: Mapping[str, ParserContext] = super()._make_parser().contexts
        self.named: list[str] = []
        """The tasks on the command line."""
        self.core.unparsed[:] = self._words_as_flags(self.core.unparsed)
        try:
            super().parse_tasks()
        except ParseError as error:
            raise Exit(self._explain(error), ExitCode.BAD_INPUT) from None
        for context in self.tasks:
            self._refuse_flags_of_nobody(str(context.name), context)
        # What --help explains of a task are its own flags.
        self.parser.contexts = self.own

    def parse_cleanup(self) -> None:
        """Answer --help, --list and their like; an unknown task is told like any other."""
        try:
            super().parse_cleanup()
        except ParseError as error:
            raise Exit(self._explain(error), ExitCode.BAD_INPUT) from None

    def print_task_help(self, name: str) -> None:
        """Print how a task is called, what it does, and its flags."""
        context = self.own[name]
        required = [argument.names[0].upper() for argument in context.positional_args]
        words = [f"[{word.upper()}]" for word in self.collection[name].words]
        options = context.help_tuples()
        print(
            " ".join(["Usage: ./inv", name, *required, *words, *(["[--options]"] if options else []), "[other tasks ...]"])
        )
        print(f"\n{inspect.getdoc(self.collection[name])}\n\nOptions:")
        if options:
            self.print_columns(options)
        else:
            print(f"{self.leading_indent}none\n")

    def _make_parser(self) -> Parser:
        """Return a parser that takes the held flags behind any task: they are for whichever of the chain knows them."""
        parser = super()._make_parser()
        for name in HELD:
            owner = next(context for context in parser.contexts.values() if name in context.args)
            for context in parser.contexts.values():
                if name not in context.args:
                    held = owner.args[name]
                    names = [one for one in held.names if to_flag(one) not in context.flags]
                    context.add_arg(names=names, kind=held.kind, attr_name=held.attr_name)
        return parser

    def _words_as_flags(self, tokens: Sequence[str]) -> list[str]:
        """Return the command line with every optional word (`report RUN`) written as the flag it stands for.

        Raises Exit when a flag lacks its value, or has an empty one, as from an unset variable of a shell: Invoke itself
        would take some of them for not given.
        """
        contexts = self._make_parser().contexts
        context, words, required, valueless = self.initial_context, [""][:0], 0, ""
        result: list[str] = []
        for index, token in enumerate(tokens):
            if valueless and (token in ("", "--") or token in context.flags):
                break
            if token == "--":
                return [*result, *tokens[index:]]
            if valueless:
                valueless = ""
            elif token.startswith("-"):
                valueless = self._valueless(context, token)
            elif required:
                required -= 1
            elif token in contexts:
                context = contexts[token]
                self.named.append(token)
                words, required = [*self.collection[token].words], len(context.positional_args)
            elif words:
                token = f"--{words.pop(0)}={token}"
            result.append(token)
        if valueless:
            raise _lacks_value(valueless)
        return result

    def _valueless(self, context: ParserContext, token: str) -> str:
        """Return the flag if the word after it is its value, else nothing. Raises Exit for `--flag=`."""
        name = token.removesuffix("=")
        for flags in (context.flags, self.initial_context.flags):
            if name in flags:
                awaits = flags[name].takes_value and not flags[name].optional
                if awaits and name != token:
                    raise _lacks_value(name)
                return name if awaits else ""
        return ""

    def _refuse_flags_of_nobody(self, task: str, context: ParserContext) -> None:
        chain = [self.own[str(one.name)] for one in self.tasks]
        for name in HELD:
            if context.args[name].got_value and not any(name in one.args for one in chain):
                raise Exit(self._unknown_flag(to_flag(name), task), ExitCode.BAD_INPUT)

    def _explain(self, error: ParseError) -> str:
        if missing := re.match(r"'(.+)' did not receive required positional arguments: (.+)", str(error)):
            words = missing[2].replace("'", "").upper()
            return f"task '{missing[1]}' lacks {words}; ./inv --help {missing[1]} shows how it is called"
        found = re.match(r"No idea what '(.+)' is!", str(error))
        if not found:
            return str(error)
        name, task = found[1], str(error.context.name or "") if error.context else ""
        if name.startswith("-"):
            return self._unknown_flag(name, task)
        for flag, folder in NAMED_BY_FILE.items():
            if task and flag in self.own[task].args and (folder / f"{name}.yml").is_file():
                return f"unknown task '{name}'; did you mean ./inv {task} --{flag} {name}?"
        return f"unknown task '{name}'; {nearest(name, self.collection.task_names)}"

    def _unknown_flag(self, name: str, task: str) -> str:
        """Say of a flag that `task`, or no task where it is empty, does not know whose it is, or which ones are near."""
        for other in self.named or self.own:
            if name in self.own[other].flags:
                return f"flag '{name}' stands behind the task that it is for: ./inv {other} {name}"
        if not task:
            return f"unknown flag '{name}'; {nearest(name, self.initial_context.flags)}"
        return f"unknown flag '{name}' of task '{task}'; {nearest(name, self.own[task].flags)}"

    def _make_pairs(self, coll: Collection, ancestors: list[str] | None = None) -> list[tuple[str, str | None]]:
        pairs = dict(super()._make_pairs(coll, ancestors))
        return [(name, pairs[name]) for name in coll.tasks if name in pairs]


def _lacks_value(flag: str) -> Exit:
    return Exit(f"flag '{flag}' lacks its value", ExitCode.BAD_INPUT)


def main() -> None:
    """Run the command line and exit with its code."""
    BenchrigProgram(name="benchrig", binary="inv", version=__version__).run()


if __name__ == "__main__":
    main()

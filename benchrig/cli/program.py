"""What `./inv` runs: Invoke with the tasks of tasks.py, in the order of their story.

Only public methods of Invoke's `Program` are overridden; tests/cli/test_invoke.py pins the version and the names used here.
"""

from __future__ import annotations

import inspect
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from traceback import walk_tb
from typing import Any

from invoke.collection import Collection
from invoke.config import AmbiguousMergeError, Config
from invoke.exceptions import CollectionNotFound, Exit, ParseError, UnknownFileType, UnpicklableConfigMember
from invoke.loader import FilesystemLoader
from invoke.parser import Parser
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.program import Program
from invoke.vendor.yaml import YAMLError

from benchrig import __version__, console, reading, yamlfile
from benchrig.agent.text import short
from benchrig.cli import signals
from benchrig.cli.chain import ChainExecutor
from benchrig.cli.command_line import CommandLine
from benchrig.cli.task import ROOT, refused
from benchrig.errors import ExitCode, InputError, unknown

COMPLETE = "complete"
"""The flag with which a shell's completion script asks what may come next. It is not offered to people."""

SEARCH_ROOT = "search-root"
"""The folder with tasks.py and invoke.yaml, for tests. It is not offered to people."""


CONFIGURATIONS = ("yaml", "yml", "json", "py")
"""The endings of files with configuration, in Invoke's order: it reads the first that there is."""


class BenchrigConfig(Config):
    """Invoke's configuration, which has benchrig's settings also where no invoke.yaml has them: variables then count."""

    @staticmethod
    def global_defaults() -> dict[str, Any]:
        """Return the settings that there are, before any file is read."""
        return {**Config.global_defaults(), "benchrig": {"inventory": "", "suite": "", "profile": ""}}


class BenchrigProgram(Program):
    """Invoke's program; it differs in its flags, in how it reads the command line, and in its help."""

    def core_args(self) -> list[Argument]:
        """Return the flags before the tasks. Invoke's others do nothing here: no task runs a command by Invoke."""
        return [
            Argument(names=("help", "h"), optional=True, help="Show this, or how a task is called (--help TASK)."),
            Argument(names=("list", "l"), kind=bool, default=False, help="List the tasks."),
            Argument(names=("version", "V"), kind=bool, default=False, help="Show the version."),
            Argument(names=("config", "f"), help="Read defaults from this file too, after invoke.yaml."),
            Argument(names=(COMPLETE,), kind=bool, default=False),
            Argument(names=(SEARCH_ROOT,), default=str(ROOT)),
        ]

    def task_args(self) -> list[Argument]:
        """Return no flags: the tasks are always benchrig's."""
        return []

    def parse_core(self, argv: list[str] | None) -> None:
        """Read the flags before the tasks; a mistake there ends with exit code 2."""
        try:
            super().parse_core(argv)
        except ParseError as error:
            raise Exit(console.printable(f"error: {error}"), ExitCode.BAD_INPUT) from None

    def parse_core_args(self) -> None:
        """Read the flags before the tasks, and give Invoke its own ones, which it goes on to ask for, as not given."""
        super().parse_core_args()
        context = self.core[0]
        for argument in super().core_args():
            if argument.name not in context.args:
                # Compiled files make every later start faster; Invoke would not write them.
                if argument.name == "write-pyc":
                    argument.default = True
                context.add_arg(argument)

    def create_config(self) -> None:
        """Read Invoke's configuration of the system and of the user; a mistake there ends with exit code 2."""
        with _configuration_mistakes():
            for start in ("/etc/", "~/."):
                _see_readable(f"{start}invoke")
            super().create_config()

    def update_config(self, merge: bool = True) -> None:
        """Read the configuration that `--config` or INVOKE_RUNTIME_CONFIG names; a mistake there ends with exit code 2."""
        named = self.args.config.value
        file = named or os.environ.get("INVOKE_RUNTIME_CONFIG", "")
        # Invoke would pass over one that is not there in silence.
        if file and not reading.is_file(_expanded(file)):
            where = "--config" if named else "INVOKE_RUNTIME_CONFIG"
            raise Exit(console.printable(f"error: {where}: there is no file '{short(file)}'"), ExitCode.BAD_INPUT)
        with _configuration_mistakes(file):
            if file:
                _see_file(_expanded(file))
            super().update_config(merge)

    def parse_collection(self) -> None:
        """Load the tasks and Invoke's configuration; a mistake in the configuration is one line, and exit code 2."""
        start = self.args[SEARCH_ROOT].value
        try:
            module, folder = FilesystemLoader(config=self.config, start=start).load()
        except (CollectionNotFound, OSError, ValueError):
            said = console.printable(f"error: --{SEARCH_ROOT}: there is no tasks.py in '{short(start)}'")
            raise Exit(said, ExitCode.BAD_INPUT) from None
        with _configuration_mistakes():
            _see_readable(os.path.join(folder, "invoke"))  # noqa: PTH118 (as Invoke makes it)
            self.config.set_project_location(folder)
            self.config.load_project()
        self.namespace = Collection.from_module(module, loaded_from=folder)
        super().parse_collection()

    def parse_tasks(self) -> None:
        """Read the tasks and their flags; a mistake is one line with the nearest valid names, and exit code 2."""
        # Once only: Invoke's tasks give their help texts away the first time they are asked.
        rests = [name for name, task in self.collection.tasks.items() if task.takes_rest]
        self.line = CommandLine(self._offered(), self.collection.to_contexts(), self._words(), rests)
        try:
            self._read_tasks(self.line)
        except (InputError, ParseError) as error:
            raise Exit(f"error: {console.printable(str(error))}", ExitCode.BAD_INPUT) from None

    def execute(self) -> None:
        """Run the tasks. No configuration names another executor here: a task does nothing without a chain."""
        ChainExecutor(self.collection, self.config, self.core).execute(*self.tasks)

    def print_help(self) -> None:
        """Print the tasks, and the flags before them."""
        print("Usage: ./inv TASK [--options] [TASK ...]\n")
        self.list_tasks()
        print("Options:\n")
        self.print_columns(self._offered().help_tuples())
        print("How a task is called: ./inv TASK --help")

    def list_tasks(self) -> None:
        """Print each task with the first line of its description, in the order of tasks.py."""
        print("Tasks:\n")
        self.print_columns([(name, _summary(task)) for name, task in self.collection.tasks.items()])

    def print_task_help(self, name: str) -> None:
        """Print how a task is called, what it does, and its flags."""
        context = self.line.own[name]
        required = [str(argument.name).upper() for argument in context.positional_args]
        words = [f"[{word.upper()}]" for word in self._words()[name]]
        options = sorted(context.help_tuples(), key=_flag)
        next_tasks = [] if self.collection[name].takes_rest else ["[TASK ...]"]
        print(" ".join(["Usage: ./inv", name, *required, *words, *(["[--options]"] if options else []), *next_tasks]))
        print(f"\n{inspect.getdoc(self.collection[name])}\n\nOptions:")
        if options:
            self.print_columns(options)
        else:
            print(f"{self.leading_indent}none\n")

    def _read_tasks(self, line: CommandLine) -> None:
        """Do what was asked instead of running tasks (help, completion), else keep the tasks for `execute`."""
        if topic := self.args.help.value:
            self._help(topic)
        if self.args[COMPLETE].value:
            from benchrig.cli import completion

            words = self.argv[self.argv.index("--") + 1 :] if "--" in self.argv else []
            for candidate in completion.candidates(line, words):
                if candidate.isprintable():
                    print(candidate)
            raise Exit
        if self.core.remainder:
            raise InputError(f"'--' ends the command line: leave out '-- {self.core.remainder}'")
        line.read(self.core.unparsed)
        if line.help:
            self._help(line.task)
        self.tasks = Parser(contexts=line.contexts(), initial=ParserContext()).parse_argv(line.tokens)
        # The first is about the flags before the tasks.
        self.tasks.pop(0)

    def _help(self, topic: str | bool) -> None:
        """Print the help of a task, or of everything where none is named, and end. Raises InputError for no task."""
        if topic is True:
            self.print_help()
        elif topic in self.collection.task_names:
            self.print_task_help(str(topic))
        else:
            raise unknown("task", str(topic), self.collection.task_names)
        raise Exit

    def _offered(self) -> ParserContext:
        """Return the flags before the tasks that are for people."""
        return ParserContext(args=[one for one in self.core_args() if one.name not in (COMPLETE, SEARCH_ROOT)])

    def _words(self) -> Mapping[str, tuple[str, ...]]:
        return {name: task.words for name, task in self.collection.tasks.items()}


def _see_readable(start: str) -> None:
    """See that Invoke can read the configuration whose name starts like this, in the first form that there is."""
    for ending in CONFIGURATIONS:
        file = _expanded(f"{start}.{ending}")
        if file.exists():
            _see_file(file)
            return


def _see_file(file: Path) -> None:
    """See that a file of configuration can be read. Raises InputError.

    Invoke's reader waits for a FIFO, has no limits, and copies what an alias stands for as often as it is used.
    """
    if file.suffix in (".yml", ".yaml"):
        yamlfile.read(file)
        return
    try:
        text = reading.content(file)
        if file.suffix == ".json":
            reading.json_value(text)
    except reading.ReadError as error:
        raise InputError(f"{yamlfile.shown(file)} cannot be read: {error}") from None


def _expanded(file: str) -> Path:
    # The method of Path raises for a user that there is not.
    return Path(os.path.expanduser(file))  # noqa: PTH111


@contextmanager
def _configuration_mistakes(file: str = "") -> Iterator[None]:
    """Make one line, with exit code 2, of what Invoke raises for a configuration that it cannot read or put together."""
    where = file or "Invoke's configuration"
    try:
        yield
    except InputError as error:
        raise Exit(console.printable(f"error: {error}"), ExitCode.BAD_INPUT) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Exit(
            f"error: {f'{mark.name}:{mark.line + 1}' if mark else where}: not valid YAML", ExitCode.BAD_INPUT
        ) from None
    except Exception as error:
        said = " ".join(str(error).split())
        if place := _python_line(error):
            raised = f"{type(error).__name__}: {said}" if said else type(error).__name__
            wrong = f"{place}: {raised}"
        elif isinstance(error, (UnknownFileType, UnpicklableConfigMember, OSError)):
            wrong = f"{where}: {said}"
        elif isinstance(error, (AmbiguousMergeError, AttributeError, ValueError)):
            wrong = f"{where} is not of the form of invoke.yaml: a mapping of mappings"
        else:
            raise
        raise Exit(console.printable(f"error: {wrong}"), ExitCode.BAD_INPUT) from None


def _python_line(error: Exception) -> str:
    """Return `file:line` of a Python file of configuration that raised an error; empty where none did."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{yamlfile.shown(Path(error.filename))}:{error.lineno}"
    places = [(frame, line) for frame, line in walk_tb(error.__traceback__) if frame.f_globals.get("__name__") == "mod"]
    return f"{yamlfile.shown(Path(places[-1][0].f_code.co_filename))}:{places[-1][1]}" if places else ""


def _summary(task: object) -> str:
    return (inspect.getdoc(task) or "").partition("\n")[0]


def _flag(option: tuple[str, str | None]) -> str:
    """Return the long name of a flag, or else its short one: whether it has a short one changes nothing in the order."""
    return option[0].rpartition("-")[2] if "--" not in option[0] else option[0].partition("--")[2]


def main() -> None:
    """Run the command line and exit with its code."""
    signals.install()
    _open_streams()
    code: str | int | None = 0
    try:
        code = _run()
        sys.stdout.flush()
    except OSError as error:
        # Tasks catch their own errors: what is left is the output of Invoke, or the last of it.
        error.filename = error.filename or "standard output"
        ending = Exit() if isinstance(error, BrokenPipeError) else refused(error)
        # Of output that fails at the end again, nothing is said again, nor is it tried again at exit.
        with suppress(OSError):
            if ending.message and not code:
                print(ending.message, file=sys.stderr)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        code = code or ending.code
    signals.restore()
    if signals.received():
        # Python would end by SIGINT, whatever the code, if the interruption came while it made a class from text.
        with suppress(OSError):
            sys.stderr.flush()
        # What is to be done at exit is done here; a module that was not used is not loaded for it.
        if proxies := sys.modules.get("benchrig.remote.proxy"):
            proxies.end_all()
        os._exit(signals.exit_code())
    sys.exit(code)


def _run() -> str | int | None:
    """Run the command line and return its code. Raises OSError when output fails."""
    try:
        BenchrigProgram(name="benchrig", binary="./inv", version=__version__, config_class=BenchrigConfig).run()
    except SystemExit as end:
        # Invoke makes 1, without a word, of an interruption outside of a task.
        if signals.received() and end.code == 1:
            print(signals.said(), file=sys.stderr)
        return end.code
    except KeyboardInterrupt:
        print(signals.said(), file=sys.stderr)
    return 0


class _Progress(io.FileIO):
    """Standard error, to which nothing is written where it is full, or its terminal or reader is gone: the work goes on."""

    def write(self, data: Any) -> int:
        """Write bytes, or leave them out."""
        try:
            return super().write(data) or 0
        except OSError:
            return memoryview(data).nbytes


def _open_streams() -> None:
    """Have closed output go nowhere, and write what its encoding lacks, such as a dash in ASCII, as an escape."""
    nowhere = Path(os.devnull)
    sys.stdout = sys.stdout or nowhere.open("w")
    if sys.stderr is None:
        sys.stderr = nowhere.open("w")
    else:
        raw = io.BufferedWriter(_Progress(sys.stderr.fileno(), "w", closefd=False))
        sys.stderr = io.TextIOWrapper(raw, sys.stderr.encoding, line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()

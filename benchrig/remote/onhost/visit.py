"""Answers a question with modules of the agent that come with it on standard input. Nothing is written to the host.

Standard input is one JSON object: `files`, texts by name; `module`, and its `function`; `asked`, a class of `protocol`;
`value`, its fields. The answer is the last line of standard output, as JSON.
"""

import dataclasses
import importlib
import importlib.abc
import importlib.machinery
import json
import sys
import types

sent = json.load(sys.stdin)


class Sent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the modules that were sent."""

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        """Return where a module is among the files; None when it is not."""
        base = name.replace(".", "/")
        for file, is_package in ((f"{base}/__init__.py", True), (f"{base}.py", False)):
            if file in sent["files"]:
                return importlib.machinery.ModuleSpec(name, self, origin=file, is_package=is_package)
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """Run a module's text."""
        origin = str(module.__spec__ and module.__spec__.origin)
        exec(compile(sent["files"][origin], origin, "exec", dont_inherit=True), module.__dict__)


if __name__ == "__main__":
    sys.meta_path.insert(0, Sent())
    function = getattr(importlib.import_module(sent["module"]), sent["function"])
    build = importlib.import_module("agent.spec").build
    protocol = importlib.import_module("agent.bench.protocol")
    answer = function(build(getattr(protocol, sent["asked"]), sent["value"]))
    print("\n" + json.dumps(dataclasses.asdict(answer)), flush=True)

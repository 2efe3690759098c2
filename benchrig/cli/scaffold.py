"""The files that a benchmark of one's own begins with, an app and a suite: commented, and working as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from benchrig import files
from benchrig.agent.text import short
from benchrig.bench.app import NAMES, is_address, is_name
from benchrig.errors import InputError
from benchrig.mistakes import Mistakes
from benchrig.yamlfile import shown

TEMPLATES = Path(__file__).parent / "templates"


def new_app(root: Path, name: str, address: str = "") -> tuple[Path, ...]:
    """Write `apps/NAME/app.yml`, its `server.py` and `configs/suites/NAME.yml` below `root`, and return their paths.

    The app is one that every machine can run, or with `address` a service that runs already, without `server.py`. Raises
    InputError for a name that cannot be a folder's and a unit's, for files that exist, and for an address that is none.
    """
    if not is_name(name):
        raise InputError(f"'{short(name)}' cannot name an app: {NAMES}")
    app, suite = root / "apps" / name / "app.yml", root / "configs" / "suites" / f"{name}.yml"
    mistakes = Mistakes()
    for path in (app.parent, suite):
        if path.exists():
            mistakes.add(shown(path), "exists already; choose another name")
    mistakes.raise_all()
    values = {"name": name, "address": address, "body": "" if address else ", body: hello"}
    texts = {app: _filled("app-address.yml" if address else "app-command.yml", values) + _filled("routes.yml", values)}
    if address and not is_address(address):
        raise InputError(f"--address: '{short(address)}' is not of the form http://host:port")
    if not address:
        texts[app.with_name("server.py")] = _filled("server.py", values)
    texts[suite] = _filled("suite.yml", values)
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write(path, text)
        except OSError as error:
            raise InputError(f"{shown(path)}: cannot be written: {error.strerror}") from None
    return tuple(texts)


def _filled(template: str, values: Mapping[str, str]) -> str:
    return Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(values)

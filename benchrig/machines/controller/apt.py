"""The controller's apt settings: Debian mirrors, options, logins and certificate authorities."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchrig.machines.command import run, search_path

SUITE = "bookworm"
DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
KEYRINGS = "etc/apt/keyrings"
"""Where a machine keeps the keyrings of mirrors that sign with keys of their own."""

_FORMAT = "$(ORIGIN)|$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)|$(SOURCESENTRY)"
_LABELS = {"Debian": ("", "-updates"), "Debian-Security": ("-security",)}
_OPTIONS = re.compile(r"Acquire::(https?(::|$)|Retries|Check-|Max-FutureTime|ForceIPv|Queue-Mode)")


@dataclass(frozen=True)
class Source:
    """One Debian suite on a mirror. `keyring` is the controller's file for it, empty for Debian's own keys."""

    uri: str
    suite: str
    components: tuple[str, ...]
    keyring: str = ""

    def line(self, folder: str = "") -> str:
        """Return it as a line of sources.list, with the keyring where it is, or else in a machine's `folder`."""
        path = f"/{folder}/{Path(self.keyring).name}" if folder else self.keyring
        signed = f"[signed-by={path}] " if self.keyring else ""
        return f"deb {signed}{self.uri} {self.suite} {' '.join(self.components)}\n"


@dataclass(frozen=True)
class Apt:
    """The apt settings of the controller, as far as they are of use for Debian 12."""

    sources: tuple[Source, ...] = ()
    """Empty where it has no Debian mirror."""
    options: Mapping[str, str] = field(default_factory=dict)
    logins: str = ""
    """Logins for these mirrors, in the format of auth.conf."""
    certificates: tuple[str, ...] = ()
    """Files with certificate authorities that its options name."""

    def options_text(self, proxies: Mapping[str, str]) -> str:
        """Return its options as apt.conf has them, with the proxies of the environment where it names none."""
        options = dict(self.options)
        for scheme in ("http", "https"):
            proxy = proxies.get(f"{scheme}_proxy")
            if proxy:
                options.setdefault(f"Acquire::{scheme}::Proxy", proxy)
        return "".join(f'{name} "{value}";\n' for name, value in options.items())


def read() -> Apt:
    """Read apt's settings; where there is no apt, there are none. Raises MachineError when apt fails."""
    if not shutil.which("apt-get", path=search_path()):
        return Apt()
    sources = tuple(_sources())
    every = dict(_options())
    options = {name: value for name, value in every.items() if _is_portable(name, value)}
    certificates = tuple(value for name, value in every.items() if name.lower().endswith("::cainfo"))
    return Apt(sources, options, _logins({urlsplit(source.uri).hostname for source in sources}), certificates)


def _sources() -> Iterator[Source]:
    """Yield Debian 12's suites on the mirrors of the controller, which may itself run another Debian."""
    listed = _targets()
    if listed and all(line.startswith("|") for line in listed):
        # apt knows the origin of a source only after it has fetched its index.
        run(["apt-get", "-q", "update"], "apt's index cannot be fetched", timeout=300)
        listed = _targets()
    components: dict[tuple[str, str, str], list[str]] = {}
    for line in listed:
        origin, label, codename, component, uri, entry = line.split("|")
        suffix = "-" + codename.partition("-")[2] if "-" in codename else ""
        if origin == "Debian" and suffix in _LABELS.get(label, ()) and uri.startswith(("http://", "https://")):
            names = components.setdefault((uri, SUITE + suffix, _keyring(entry)), [])
            names += [component] if component not in names else []
    for (uri, suite, keyring), names in components.items():
        yield Source(uri, suite, tuple(names), keyring)


def _targets() -> list[str]:
    argv = ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"]
    return run(argv, "apt's sources cannot be read").splitlines()


def _keyring(entry: str) -> str:
    """Return the keyring that a source's entry (`file:number` of its stanza or line) names, if it is not Debian's own."""
    file, _, number = entry.rpartition(":")
    try:
        text = Path(file).read_text(encoding="utf-8", errors="replace")
        if file.endswith(".sources"):
            parts = [part for part in re.split(r"\n\s*\n", text) if re.search(r"(?im)^types:", part)]
        else:
            parts = text.splitlines()
        named = re.search(r"(?im)(?:^signed-by:\s*|signed-by=)(/[^\s,\]]+)", parts[int(number) - 1])
    except (OSError, ValueError, IndexError):
        return ""
    return named[1] if named and named[1] != DEBIAN_KEYRING else ""


def _options() -> Iterator[tuple[str, str]]:
    for line in run(["apt-config", "dump"], "apt's options cannot be read").splitlines():
        name, _, value = line.rstrip(";").partition(" ")
        if _OPTIONS.match(name) and value.strip('"'):
            yield name, value.strip('"')


def _is_portable(name: str, value: str) -> bool:
    """Return whether an option means the same on another machine: it names no file or program of this one."""
    return not value.startswith("/") and "auto-detect" not in name.lower()


def _logins(hosts: set[str | None]) -> str:
    """Return the entries of auth.conf for these hosts."""
    named = run(
        ["apt-config", "shell", "FILE", "Dir::Etc::netrc/f", "PARTS", "Dir::Etc::netrcparts/d"],
        "apt's logins cannot be read",
    )
    places = dict(word.split("=", 1) for word in shlex.split(named))
    entries = []
    for path in [Path(places["FILE"]), *sorted(Path(places["PARTS"]).glob("*.conf"))]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for entry in re.split(r"(?m)^\s*(?=machine\s)", text):
            words = entry.split()
            if words[:1] == ["machine"] and urlsplit(f"//{words[1].rpartition('://')[2]}").hostname in hosts:
                entries.append(" ".join(words) + "\n")
    return "".join(entries)

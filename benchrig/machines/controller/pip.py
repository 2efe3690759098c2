"""The controller's settings of pip and uv. uv uses pip's package indexes where it has none of its own."""

from __future__ import annotations

import configparser
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SYSTEM_FILE = Path("/etc/pip.conf")

_LISTS = ("extra-index-url", "find-links", "trusted-host")


@dataclass(frozen=True)
class Pip:
    """Sources of Python packages, without folders of the controller, which machines do not have."""

    index: str = ""
    extra_indexes: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    timeout: str = ""
    """Seconds."""
    retries: str = ""
    proxy: str = ""
    certificates: str = ""
    """A file with certificate authorities."""
    uv_index: str = ""
    uv_extra_indexes: tuple[str, ...] = ()

    def config(self, bundle: str) -> str:
        """Return pip.conf; `bundle` is the machine's own file of certificate authorities."""
        values = {
            "index-url": self.index,
            "extra-index-url": " ".join(self.extra_indexes),
            "find-links": " ".join(self.find_links),
            "trusted-host": " ".join(self.trusted_hosts),
            "timeout": self.timeout,
            "retries": self.retries,
            "proxy": self.proxy,
            "cert": bundle,
        }
        return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in values.items() if value)

    def uv_config(self) -> str:
        """Return uv.toml."""
        values: dict[str, object] = {
            "native-tls": True,
            "index-url": self.uv_index or self.index,
            "extra-index-url": self.uv_extra_indexes or self.extra_indexes,
            "find-links": self.find_links,
            "allow-insecure-host": self.trusted_hosts,
        }
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items() if value)


def read() -> Pip:
    """Read pip's configuration files and the variables of pip and uv, as pip itself would: later ones win."""
    values: dict[str, str] = {}
    for path in _files():
        values.update(_section_values(path))
    for name, value in os.environ.items():
        if name.startswith("PIP_") and value:
            values[_option(name.removeprefix("PIP_"))] = value
    lists = {name: tuple(filter(_is_remote, values.get(name, "").split())) for name in _LISTS}
    index = values.get("index-url", "")
    uv_index, uv_extra = _uv_indexes()
    return Pip(
        index=index if _is_remote(index) else "",
        extra_indexes=lists["extra-index-url"],
        find_links=lists["find-links"],
        trusted_hosts=lists["trusted-host"],
        timeout=values.get("timeout", ""),
        retries=values.get("retries", ""),
        proxy=values.get("proxy", ""),
        certificates=values.get("cert", ""),
        uv_index=uv_index,
        uv_extra_indexes=uv_extra,
    )


def _files() -> Iterator[Path]:
    """Yield pip's configuration files, the weakest first."""
    for folder in reversed(os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")):
        yield Path(folder) / "pip/pip.conf"
    yield SYSTEM_FILE
    yield Path.home() / ".pip/pip.conf"
    yield Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pip/pip.conf"
    if os.environ.get("PIP_CONFIG_FILE"):
        yield Path(os.environ["PIP_CONFIG_FILE"])


def _section_values(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    sections = [name for name in ("global", "install") if parser.has_section(name)]
    return {_option(key): value for name in sections for key, value in parser.items(name)}


def _option(name: str) -> str:
    """Return an option's one name: pip takes it in any case, with - or _, and knows the timeout by two names."""
    return name.lower().replace("_", "-").removeprefix("default-")


def _uv_indexes() -> tuple[str, tuple[str, ...]]:
    """Return uv's own default index and further ones, from its variables; an index may be written `name=URL`."""
    default = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL", "")
    more = f"{os.environ.get('UV_INDEX', '')} {os.environ.get('UV_EXTRA_INDEX_URL', '')}".split()
    urls = [url.partition("=")[2] if "=" in url.partition("://")[0] else url for url in [default, *more]]
    return (urls[0] if _is_remote(urls[0]) else ""), tuple(filter(_is_remote, urls[1:]))


def _is_remote(value: str) -> bool:
    """Return whether a place is not a path on this machine. A bare host name, as in trusted-host, is none either."""
    return bool(value) and not value.startswith(("file:", "/", ".", "~"))

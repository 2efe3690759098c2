"""Settings of the controller that machines copy: resolver, certificate authorities, proxies, apt, pip and uv.

They are read into one value, which gives the files for a machine. Addresses on the controller's loopback are replaced by
that of the gateway, which leads there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchrig.machines.command import run
from benchrig.machines.controller import apt as apt_settings
from benchrig.machines.controller import pip as pip_settings
from benchrig.machines.controller.apt import Apt
from benchrig.machines.controller.pip import Pip
from benchrig.machines.folder import write_below

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where a Debian machine has all certificate authorities in one file."""

BUNDLES = (BUNDLE, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
AUTHORITIES = "usr/local/share/ca-certificates"

PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")
HEADER = "# Taken over from the controller by benchrig; written anew at each start of this machine.\n"

_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d+){3}|\[::1\])(?![\w.])")
# Only where a place to connect to is named: the host of a URL, or a host that need not prove itself.
_PLACE = re.compile(r"(?m)://(?:[^/@\s]*@)?[^/\s\"]+|^(?:trusted-host|allow-insecure-host) = .*$")


@dataclass(frozen=True)
class File:
    """A file of a machine: its path below the machine's root, its content, its mode."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True)
class Settings:
    """The settings of the controller that machines copy."""

    search: tuple[str, ...]
    """Domains that the resolver tries after a short name."""
    authorities: tuple[str, ...]
    """Certificates in PEM."""
    proxies: Mapping[str, str]
    """`http_proxy` and its like, and `no_proxy`, in lower case."""
    apt: Apt
    pip: Pip

    @property
    def uses_loopback(self) -> bool:
        """Whether a setting names the controller's loopback."""
        return any(_with_gateway(text, "") != text for text in self._texts().values())

    def files(self, gateway: str) -> tuple[File, ...]:
        """Return the files for a machine that reaches the controller's loopback at the address `gateway`."""
        texts = {path: _with_gateway(text, gateway) for path, text in self._texts().items()}
        # What may hold a login is for root alone.
        files = [
            File(path, text.encode(), 0o600 if re.search("@|password", text) else 0o644) for path, text in texts.items()
        ]
        keyrings = {source.keyring for source in self.apt.sources if source.keyring}
        files += [File(f"{apt_settings.KEYRINGS}/{Path(name).name}", Path(name).read_bytes()) for name in sorted(keyrings)]
        return tuple(files)

    def _texts(self) -> dict[str, str]:
        texts = {
            "etc/environment": HEADER + self._environment(),
            "etc/apt/apt.conf.d/80outer": HEADER.replace("#", "//") + self.apt.options_text(self.proxies),
            "etc/apt/auth.conf.d/outer.conf": self.apt.logins,
            "etc/pip.conf": HEADER + self.pip.config(BUNDLE),
            "etc/uv/uv.toml": HEADER + self.pip.uv_config(),
        }
        if self.apt.sources:
            texts["etc/apt/sources.list"] = HEADER + "".join(
                source.line(apt_settings.KEYRINGS) for source in self.apt.sources
            )
        return texts

    def _environment(self) -> str:
        variables = {**self.proxies, **{name.upper(): value for name, value in self.proxies.items()}}
        if self.pip.timeout:
            variables["UV_HTTP_TIMEOUT"] = self.pip.timeout
        return "".join(f'{name}="{value}"\n' for name, value in sorted(variables.items()))


def read() -> Settings:
    """Read the controller's settings. Raises MachineError when apt fails."""
    pip = pip_settings.read()
    apt = apt_settings.read()
    bundles = [*BUNDLES, *(os.environ.get(name, "") for name in BUNDLE_VARIABLES), pip.certificates, *apt.certificates]
    return Settings(_search_domains(), _authorities(bundles), _proxies(), apt, pip)


def take_authorities(root: Path, authorities: tuple[str, ...]) -> None:
    """Make the machine whose root folder is `root` trust these authorities in addition to Debian's own.

    Authorities copied earlier that are gone now are removed. A change takes a second. Raises MachineError.
    """
    files = {file.path: file for file in authority_files(authorities, root)}
    present = {str(path.relative_to(root)) for path in (root / AUTHORITIES).glob("outer-*.crt")}
    if present == set(files):
        return
    for name in present - set(files):
        (root / name).unlink()
    for file in files.values():
        write_below(root, file.path, file.content)
    run(["chroot", root, "update-ca-certificates"], "certificate authorities cannot be installed", timeout=120)


def authority_files(authorities: tuple[str, ...], root: Path) -> tuple[File, ...]:
    """Return authorities as files of a machine, without those that Debian's own at `root` contain already."""
    own = {_body(pem) for path in root.glob("usr/share/ca-certificates/**/*.crt") for pem in _certificates(path)}
    files = {f"{AUTHORITIES}/outer-{_digest(pem)}.crt": pem for pem in authorities if _body(pem) not in own}
    return tuple(File(path, f"{pem}\n".encode()) for path, pem in files.items())


def _with_gateway(text: str, gateway: str) -> str:
    return _PLACE.sub(lambda place: _LOOPBACK.sub(gateway, place[0]), text)


def _authorities(bundles: list[str]) -> tuple[str, ...]:
    paths = [Path(name) for name in bundles if name]
    paths += sorted(Path("/", AUTHORITIES).glob("**/*.crt"))
    return tuple({_body(pem): pem for path in paths for pem in _certificates(path)}.values())


def _certificates(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return re.findall(r"-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----", text)


def _body(pem: str) -> str:
    return "".join(pem.split("-----")[2].split())


def _digest(pem: str) -> str:
    return hashlib.sha256(_body(pem).encode()).hexdigest()[:16]


def _search_domains() -> tuple[str, ...]:
    try:
        lines = Path("/etc/resolv.conf").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    domains = [line.split()[1:] for line in lines if line.split()[:1] in (["search"], ["domain"])]
    return tuple(domain for domain in domains[-1] if domain != ".") if domains else ()


def _proxies() -> dict[str, str]:
    values = {name: os.environ.get(name) or os.environ.get(name.upper(), "") for name in PROXIES}
    proxies = {name: value for name, value in values.items() if value}
    if proxies:
        exempt = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
        proxies["no_proxy"] = ",".join(filter(None, [exempt, "localhost,127.0.0.1,::1"]))
    return proxies

"""What a lab machine takes over: the controller's apt, pip and uv settings, proxies, certificates, resolver."""

from __future__ import annotations

import configparser
import os
import re
import tomllib
from pathlib import Path

import pytest

from benchrig.machines.controller import apt as apt_settings
from benchrig.machines.controller import pip as pip_settings
from benchrig.machines.controller import settings as controller
from benchrig.machines.controller.apt import Apt, Source
from benchrig.machines.controller.pip import Pip
from benchrig.machines.controller.settings import File, Settings

GATEWAY = "10.213.7.2"
NO_PIP = Pip()
NO_APT = Apt()


def settings(pip: Pip = NO_PIP, apt: Apt = NO_APT, proxies: dict[str, str] | None = None) -> Settings:
    return Settings((), (), proxies or {}, apt, pip)


def taken(of: Settings, path: str) -> File:
    """Return a file that a machine gets."""
    (file,) = [file for file in of.files(GATEWAY) if file.path == path]
    return file


def text(of: Settings, path: str) -> str:
    return taken(of, path).content.decode()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home folder whose pip configuration is all that there is of pip's and uv's."""
    for name in [name for name in os.environ if re.match("PIP_|UV_|XDG_", name)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "none"))
    monkeypatch.setattr(pip_settings, "SYSTEM_FILE", tmp_path / "system.conf")
    (tmp_path / ".config/pip").mkdir(parents=True)
    return tmp_path


def pip_config(pip: Pip) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text(settings(pip), "etc/pip.conf"))
    return dict(parser.items("global"))


def uv_config(pip: Pip) -> dict[str, object]:
    return tomllib.loads(text(settings(pip), "etc/uv/uv.toml"))


def test_pip_takes_the_users_file_over_the_systems_and_variables_over_both(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "system.conf").write_text("[global]\nindex-url = https://a.example/simple\nretries = 9\ntimeout = 1\n")
    (home / ".config/pip/pip.conf").write_text("[global]\nindex_url = https://b.example/simple\ntimeout = 2\n")
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "3")
    config = pip_config(pip_settings.read())
    assert (config["index-url"], config["retries"], config["timeout"]) == ("https://b.example/simple", "9", "3")


def test_the_install_section_of_pips_file_wins_over_the_global_one(home: Path) -> None:
    (home / "system.conf").write_text("[install]\ntimeout = 5\n[global]\ntimeout = 4\n")
    assert pip_config(pip_settings.read())["timeout"] == "5"


def test_folders_of_the_controller_are_no_place_to_install_from_in_the_lab(home: Path) -> None:
    (home / "system.conf").write_text(
        "[global]\nfind-links = /opt/wheels https://w.example/\nextra-index-url =\n  file:///opt/simple\n  https://x.example/s\n"
    )
    config = pip_config(pip_settings.read())
    assert config["find-links"] == "https://w.example/"
    assert config["extra-index-url"] == "https://x.example/s"


def test_pip_in_the_lab_trusts_the_labs_own_bundle_wherever_the_controller_lies(home: Path) -> None:
    (home / "system.conf").write_text("[global]\ncert = /home/me/company.pem\n")
    pip = pip_settings.read()
    assert pip.certificates == "/home/me/company.pem"
    assert pip_config(pip)["cert"] == "/etc/ssl/certs/ca-certificates.crt"


def test_a_broken_pip_file_is_passed_over(home: Path) -> None:
    (home / "system.conf").write_text("index-url = no section\n")
    assert pip_settings.read() == Pip()


def test_uv_uses_pips_indexes_unless_it_has_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "system.conf").write_text("[global]\nindex-url = https://a.example/s\nextra-index-url = https://b.example/s\n")
    config = uv_config(pip_settings.read())
    assert (config["index-url"], config["extra-index-url"]) == ("https://a.example/s", ["https://b.example/s"])
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://c.example/s")
    monkeypatch.setenv("UV_INDEX", "inner=https://d.example/s")
    config = uv_config(pip_settings.read())
    assert (config["index-url"], config["extra-index-url"]) == ("https://c.example/s", ["https://d.example/s"])


def test_an_index_on_the_controllers_loopback_is_reached_through_the_gateway() -> None:
    pip = Pip(index="http://user:pw@127.0.0.1:3141/root/pypi", trusted_hosts=("localhost:3141", "localhost.example"))
    assert settings(pip).uses_loopback
    assert f"index-url = http://user:pw@{GATEWAY}:3141/root/pypi\n" in text(settings(pip), "etc/pip.conf")
    assert f"trusted-host = {GATEWAY}:3141 localhost.example\n" in text(settings(pip), "etc/pip.conf")
    assert uv_config(pip)["allow-insecure-host"] == [f"{GATEWAY}:3141", "localhost.example"]


def test_a_host_named_in_a_path_or_a_name_like_loopback_is_left_alone() -> None:
    pip = Pip(index="https://localhost.example/127.0.0.1/simple")
    assert not settings(pip).uses_loopback
    assert pip_config(pip)["index-url"] == "https://localhost.example/127.0.0.1/simple"


def test_what_holds_a_login_is_for_root_alone() -> None:
    assert taken(settings(Pip(index="https://me:secret@a.example/s")), "etc/pip.conf").mode == 0o600
    assert taken(settings(Pip(index="https://a.example/s")), "etc/pip.conf").mode == 0o644
    logins = Apt(logins="machine a.example login me password secret\n")
    assert taken(settings(apt=logins), "etc/apt/auth.conf.d/outer.conf").mode == 0o600


def test_proxies_reach_the_environment_and_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*controller.PROXIES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("http_proxy", "http://localhost:3128/")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inner.example")
    of = settings(proxies=controller._proxies())
    environment = text(of, "etc/environment")
    assert f'http_proxy="http://{GATEWAY}:3128/"\n' in environment
    assert 'HTTPS_PROXY="http://proxy.example:3128"\n' in environment
    assert 'no_proxy="inner.example,localhost,127.0.0.1,::1"\n' in environment
    assert f'Acquire::http::Proxy "http://{GATEWAY}:3128/";\n' in text(of, "etc/apt/apt.conf.d/80outer")


def test_without_a_proxy_there_is_no_proxy_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in controller.PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("no_proxy", "inner.example")
    assert controller._proxies() == {}


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the configuration folder of an apt that knows two Debian mirrors and a third party's source."""
    for folder in ("lists/partial", "etc/apt.conf.d", "etc/sources.list.d", "etc/preferences.d", "etc/auth.conf.d"):
        (tmp_path / folder).mkdir(parents=True)
    etc, lists = tmp_path / "etc", tmp_path / "lists"
    (tmp_path / "apt.conf").write_text(f'Dir::Etc "{etc}";\nDir::State::lists "{lists}";\nDir::Cache "{tmp_path}/cache";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    (etc / "sources.list").write_text(
        "deb [signed-by=/etc/keys/mirror.gpg] http://mirror.example/debian trixie main contrib\n"
        "deb http://mirror.example/debian trixie-updates main\n"
    )
    (etc / "sources.list.d/more.sources").write_text(
        "Types: deb\nURIs: https://third.example/apt\nSuites: stable\nComponents: main\n\n"
        "# Security\nTypes: deb\nURIs: https://security.example/debian-security\nSuites: trixie-security\n"
        "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    index(lists, "mirror.example_debian", "Debian", "trixie", "main contrib")
    index(lists, "mirror.example_debian", "Debian", "trixie-updates", "main")
    index(lists, "security.example_debian-security", "Debian-Security", "trixie-security", "main")
    index(lists, "third.example_apt", "Third", "stable", "main", origin="Third")
    return etc


def index(lists: Path, mirror: str, label: str, codename: str, components: str, origin: str = "Debian") -> None:
    """Put the index of a source in place, as `apt-get update` would have."""
    fields = {"Origin": origin, "Label": label, "Codename": codename, "Components": components, "Architectures": "amd64"}
    name = f"{mirror}_dists_{codename}"
    (lists / f"{name}_InRelease").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    for component in components.split():
        (lists / f"{name}_{component}_binary-amd64_Packages").touch()


@pytest.mark.usefixtures("apt")
def test_the_controllers_debian_mirrors_serve_debian_12_and_others_are_left_out() -> None:
    assert apt_settings.read().sources == (
        Source("http://mirror.example/debian/", "bookworm", ("main", "contrib"), "/etc/keys/mirror.gpg"),
        Source("http://mirror.example/debian/", "bookworm-updates", ("main",)),
        Source("https://security.example/debian-security/", "bookworm-security", ("main",)),
    )


def test_a_mirrors_own_keyring_goes_with_it(tmp_path: Path) -> None:
    keyring = tmp_path / "mirror.gpg"
    keyring.write_bytes(b"\x99\x01")
    of = settings(apt=Apt((Source("http://mirror.example/debian/", "bookworm", ("main",), str(keyring)),)))
    line = "deb [signed-by=/etc/apt/keyrings/mirror.gpg] http://mirror.example/debian/ bookworm main\n"
    assert line in text(of, "etc/apt/sources.list")
    assert taken(of, "etc/apt/keyrings/mirror.gpg").content == b"\x99\x01"


def test_a_machine_whose_controller_has_no_debian_mirror_keeps_its_images_sources() -> None:
    assert "etc/apt/sources.list" not in [file.path for file in settings().files(GATEWAY)]


def test_how_apt_fetches_is_taken_over_but_no_path_or_program_of_the_controller(apt: Path) -> None:
    (apt / "apt.conf.d/90test").write_text(
        'Acquire::Retries "5";\nAcquire::http::Proxy "http://cache.example:3142";\nAcquire::Check-Valid-Until "false";\n'
        'Acquire::https::CaInfo "/etc/company.pem";\nAcquire::http::Proxy-Auto-Detect "/usr/bin/detect";\n'
        'APT::Install-Recommends "false";\n'
    )
    read = apt_settings.read()
    assert read.options == {
        "Acquire::Retries": "5",
        "Acquire::http::Proxy": "http://cache.example:3142",
        "Acquire::Check-Valid-Until": "false",
    }
    assert read.certificates == ("/etc/company.pem",)


def test_apts_own_proxy_wins_over_the_environments(apt: Path) -> None:
    (apt / "apt.conf.d/90test").write_text('Acquire::http::Proxy "http://cache.example:3142";\n')
    options = apt_settings.read().options_text({"http_proxy": "http://other.example:1"})
    assert options == 'Acquire::http::Proxy "http://cache.example:3142";\n'


def test_only_the_logins_for_debians_mirrors_are_taken_over(apt: Path) -> None:
    (apt / "auth.conf").write_text("machine third.example login me password no\n")
    (apt / "auth.conf.d/mirror.conf").write_text("machine mirror.example/debian\n  login me\n  password yes\n")
    assert apt_settings.read().logins == "machine mirror.example/debian login me password yes\n"

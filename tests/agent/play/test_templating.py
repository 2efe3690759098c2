"""Templates give what Ansible gives: each case of `cases/templates.yml`, rendered by us and by it."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.utils import missing

from benchrig.agent.play.lookups import Bundle, yaml_key
from benchrig.agent.play.templating import NotDefinedError, TemplateError, Templates
from benchrig.agent.play.variables import Variables
from benchrig.remote import ship
from tests.support import CASES

TEMPLATES: list[dict[str, Any]] = yaml.safe_load((CASES / "templates.yml").read_text(encoding="utf-8"))
IDS = [str(case["template"])[:60].replace("\n", " ") for case in TEMPLATES]


def variables(values: dict[str, Any], templates: Templates | None = None) -> Variables:
    return Variables(templates or Templates({}, {}), {}, values)


@pytest.mark.parametrize("case", TEMPLATES, ids=IDS)
def test_a_template_gives_what_the_case_says(case: dict[str, Any]) -> None:
    known = variables(case.get("vars", {}))
    if "error" in case:
        with pytest.raises(TemplateError, match=case["error"]):
            known.render(case["template"])
    else:
        assert known.render(case["template"]) == case["expect"]


@pytest.mark.parametrize("case", TEMPLATES, ids=IDS)
def test_ansible_agrees(case: dict[str, Any]) -> None:
    pytest.importorskip("ansible")
    from ansible.errors import AnsibleError
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    templar = Templar(loader=DataLoader(), variables=trusted(case.get("vars", {})))
    if "error" in case:
        with pytest.raises((AnsibleError, RecursionError), match=case["error"]):
            templar.template(trusted(case["template"]))
    else:
        assert templar.template(trusted(case["template"])) == case["expect"]


def trusted(value: Any) -> Any:
    """Return a value as Ansible reads it from the user's own files."""
    from ansible.template import trust_as_template

    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    return [trusted(item) for item in value] if isinstance(value, list) else value


def test_a_condition_must_be_yes_or_no() -> None:
    known = variables({"word": "text", "number": 3})
    assert known.condition("number > 2") is True
    assert known.condition(False) is False
    with pytest.raises(TemplateError, match="not yes or no"):
        known.condition("word")


def test_a_condition_reads_backslashes_as_jinja_does() -> None:
    assert variables({"word": "a b"}).condition(r"word is search('\\s')")


def test_what_tasks_found_out_is_never_rendered() -> None:
    known = variables({"quoted": "{{ output }}"})
    known.set("output", "{{ 7 * 7 }}")
    assert known.render("{{ output }}") == "{{ 7 * 7 }}"
    assert known.render("{{ quoted }}") == "{{ 7 * 7 }}"


def test_precedence_is_ansibles() -> None:
    names = ["item", "extra", "magic", "found", "task", "file", "fact", "below"]

    known = Variables(Templates({}, {}), dict.fromkeys(names[:7], "fact"), dict.fromkeys(names[:2], "extra"))
    known.enter(dict.fromkeys(names[:3], "magic"), dict.fromkeys(names, "below"), dict.fromkeys(names[:6], "file"))
    known.set_task(dict.fromkeys(names[:5], "task"))
    for name in names[:4]:
        known.set(name, "found")
    known.set_item({"item": "item"})
    assert [known.resolve(name) for name in names] == names


def test_a_value_is_made_anew_when_what_it_was_made_of_changes() -> None:
    known = variables({"outer": "{{ middle }}!", "middle": "{{ item | default('none') }}"})
    assert known.resolve("outer") == "none!"
    known.set_item({"item": "first"})
    assert known.resolve("outer") == "first!"
    known.set_item({})
    assert known.resolve("outer") == "none!"


def test_a_value_is_made_once_while_nothing_changes() -> None:
    numbers = itertools.count(1)
    templates = Templates({"count": lambda: next(numbers)}, {})
    known = variables({"counted": "{{ count() }}"}, templates)
    assert [known.resolve("counted"), known.render("{{ counted }} {{ counted }}")] == [1, "1 1"]


def test_a_variable_made_of_itself_is_named() -> None:
    with pytest.raises(NotDefinedError, match="a -> b -> a"):
        variables({"a": "{{ b }}", "b": "{{ a }}"}).render("{{ a }}")


def test_compiled_templates_are_kept_for_the_next_run(tmp_path: Path) -> None:
    cache = tmp_path / "templates"
    first = Templates({}, {}, cache)
    assert first.render("{{ 1 + n }}", lambda name: 2 if name == "n" else missing) == 3
    first.save(lambda: {"{{ 1 + n }}"})
    second = Templates({}, {}, cache)
    assert second.render("{{ 1 + n }}", lambda name: 5 if name == "n" else missing) == 6
    written = cache.stat().st_mtime_ns
    second.save(lambda: {"{{ 1 + n }}"})
    assert cache.stat().st_mtime_ns == written


def test_a_template_file_keeps_its_lines_as_ansible_does() -> None:
    text = "a\n  {% if true %}\n  b\n  {% endif %}\nc\n"
    templates = Templates({}, {})
    assert templates.file(text, lambda _: missing) == "a\n    b\n  c\n"
    assert templates.file(text, lambda _: missing, lstrip_blocks=True) == "a\n  b\nc\n"


def test_lookups_see_the_bundle_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "roles/one/files").mkdir(parents=True)
    (tmp_path / "roles/one/files/a.txt").write_text("from the role\n", encoding="utf-8")
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps/x.yml").write_text("a: 1\n", encoding="utf-8")
    (tmp_path / "yaml.json").write_text(f'{{"{yaml_key("a: 1")}": {{"a": 1}}}}', encoding="utf-8")
    bundle = Bundle(tmp_path)
    bundle.role = "one"
    templates = Templates(bundle.functions(), bundle.filters())
    known = variables({"here": str(tmp_path)}, templates)
    assert known.render("{{ lookup('ansible.builtin.file', 'a.txt') }}") == "from the role"
    assert known.render("{{ lookup('file', 'a.txt', 'a.txt', wantlist=True) }}") == ["from the role"] * 2
    assert known.render("{{ query('ansible.builtin.fileglob', here ~ '/apps/*') }}") == [f"{tmp_path}/apps/x.yml"]
    assert known.render("{{ lookup('file', here ~ '/apps/x.yml') | from_yaml }}") == {"a": 1}
    for outside in ("/etc/passwd", "../../../../etc/passwd"):
        with pytest.raises(TemplateError, match="file"):
            known.render(f"{{{{ lookup('file', '{outside}') }}}}")
    with pytest.raises(TemplateError, match="neither"):
        known.render("{{ 'b: [1, 2' | from_yaml }}")


def test_agents_with_different_hashes_share_no_cache_of_templates(tmp_path: Path) -> None:
    def cache_name(agent: str) -> str:
        with tarfile.open(fileobj=io.BytesIO(ship.agent_archive())) as archive:
            archive.extractall(tmp_path / agent)
        code = "from agent.play.templating import cache_name; print(cache_name())"
        return subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path / agent, text=True).strip()

    this, other = cache_name(ship.agent_hash()), cache_name("0123456789abcdef")
    assert this != other
    assert this.endswith(f"-{ship.agent_hash()}")

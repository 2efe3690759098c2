"""Real Ansible, run on a project of a test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ANSIBLE = shutil.which("ansible-playbook") or str(Path(sys.executable).parent / "ansible-playbook")


def ansible(root: Path, *options: str) -> dict[str, int]:
    """Run real Ansible on a project, on this machine, and return its recap."""
    # Another user is reached by su, which is everywhere; sudo is not.
    become = "ansible_become_method=su ansible_become_flags='-s /bin/sh'"
    variables = ("-e", "ansible_python_interpreter=/usr/bin/python3", "-e", become)
    argv = [ANSIBLE, "-i", "host1,", "-c", "local", *variables, "site.yml", *options]
    environ = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_ROLES_PATH": "roles", "ANSIBLE_LOCALHOST_WARNING": "0"}
    done = subprocess.run(argv, cwd=root, env=environ, capture_output=True, text=True, timeout=300, check=False)
    recap = re.search(r"^host1\s+:(.*)$", done.stdout, re.MULTILINE)
    assert recap, done.stdout + done.stderr
    counts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", recap[1])}
    assert not counts["failed"], done.stdout
    return counts

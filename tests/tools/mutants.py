"""Mutation testing: python tests/tools/mutants.py, after `pip install mutmut`; see docs/mutants.md.

Each mutant is a change that a test must notice, or docs/mutants.md explains why none can. The status is 1 if a mutant
survives that is not in that list, or if the list has one that does not survive.
"""

# ruff: noqa: T201  # a script, which prints what it has counted

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MUTMUT = Path(sys.executable).with_name("mutmut")
FOUND = ROOT / "mutants" / "mutmut-cicd-stats.json"
COUNTED = ("killed", "timeout", "survived", "no_tests", "suspicious", "skipped", "segfault")


def mutmut(*args: str) -> str:
    return subprocess.run([MUTMUT, *args], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def changes(diff: str) -> str:
    """The lines that a diff takes away and adds, without those that only say where."""
    lines = (line.rstrip() for line in diff.splitlines() if re.match(r"[-+](?![-+]{2} )", line))
    return "\n".join(f"{line[0]}{line[1:].strip()}" for line in lines)


def survivors() -> dict[str, str]:
    """The changes that no test has noticed, by the mutant's name."""
    lines = re.findall(r"^\s*(\S+): (.+)$", mutmut("results"), re.MULTILINE)
    return {name: changes(mutmut("show", name)) for name, state in lines if state not in ("killed", "timeout")}


def explained() -> list[str]:
    text = (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8")
    return [changes(diff) for diff in re.findall(r"^```diff\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def main() -> int:
    shutil.rmtree(FOUND.parent, ignore_errors=True)  # mutmut runs mutants again if they change, not if their tests do
    subprocess.run([MUTMUT, "run"], cwd=ROOT, check=False)
    mutmut("export-cicd-stats")
    counts = json.loads(FOUND.read_text())
    print(f"{counts['total']} mutants:", ", ".join(f"{counts[c]} {c}" for c in COUNTED if counts.get(c)))
    found, known = survivors(), explained()
    new = {name: change for name, change in found.items() if change not in known}
    gone = [change for change in known if change not in found.values()]
    for name, change in new.items():
        print(f"not in docs/mutants.md: {name}\n{change}")
    for change in gone:
        print(f"in docs/mutants.md, and killed or not made any more:\n{change}")
    return 1 if new or gone else 0


if __name__ == "__main__":
    sys.exit(main())

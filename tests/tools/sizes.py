"""Fails where a file, a function or a room has outgrown what one can read at a sitting.

python tests/tools/sizes.py [folder]
"""

# ruff: noqa: T201  # a script

import ast
import sys
from pathlib import Path

LINES, BODY, ROOM = 300, 50, 12  # of a file, of a function, modules of a folder
TREES = ("nn2crn", "tests", "docs", "benchmarks", "samples")


def faults(root):
    """Yield a line for each thing that is too long."""
    files = sorted(file for tree in TREES for file in (root / tree).rglob("*.py"))
    rooms = {}
    for file in files:
        where, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > LINES:
            yield f"{where}: {lines} lines, more than {LINES}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= BODY:
                count = node.end_lineno - node.lineno + 1
                yield f"{where}:{node.lineno}: {node.name} has {count} lines, more than {BODY}"
        if not file.stem.startswith("__"):
            rooms.setdefault(file.relative_to(root).parent.as_posix(), []).append(file)
    for room, modules in rooms.items():
        if len(modules) > ROOM:
            yield f"{room}: {len(modules)} modules, more than {ROOM}"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1] if sys.argv[1:] else ".")))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))

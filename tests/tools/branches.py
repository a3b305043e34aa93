"""How many branches the tests reach, package by package: python tests/tools/branches.py COVERAGE.json PACKAGE...

The status is 1 if it is less than 95 % of any package's. A report in percent counts lines, too, and more of them.
"""
# ruff: noqa: T201  # a script, which prints what it has counted

from __future__ import annotations

import json
import sys
from pathlib import Path

LEAST = 95  # percent


def main() -> int:
    report, *packages = sys.argv[1:]
    files = json.loads(Path(report).read_text(encoding="utf-8"))["files"]
    low = []
    for package in packages:
        found = [f["summary"] for name, f in files.items() if f"nn2crn/{package}/" in Path(name).as_posix()]
        there, reached = (sum(f[key] for f in found) for key in ("num_branches", "covered_branches"))
        percent = 100 * reached / there
        print(f"{package:10} {reached:4} of {there:4} branches, {percent:.1f} %")
        if percent < LEAST:
            low.append(package)
    print(f"below {LEAST} %: {', '.join(low) or 'none'}")
    return bool(low)


if __name__ == "__main__":
    sys.exit(main())

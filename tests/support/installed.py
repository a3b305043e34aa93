"""Packages as pip would leave them behind, and the command line that finds them."""

import os
import subprocess
import sys


def install(folder, name, files, points):
    """A package of these files in `folder`/site; `points` are its entry points, by group."""
    package = folder / "site" / name
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for file, text in files.items():
        (package / file).write_text(text)
    info = folder / "site" / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    groups = (f"[{group}]\n{point}\n" for group, point in points.items())
    (info / "entry_points.txt").write_text("".join(groups))


def command(folder, *arguments):
    """What `nn2crn` prints where the packages of `folder` are installed, and its exit status."""
    args = [sys.executable, "-m", "nn2crn.cli", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(folder / "site")}
    done = subprocess.run(args, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout + done.stderr

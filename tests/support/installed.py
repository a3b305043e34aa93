"""Packages as pip would leave them behind, and the command line that finds them."""

import os
import subprocess
import sys


def install(folder, name, files, points):
    """A package of these files in `folder`/site, or of modules in `folder`; `points` are its entry points, by group."""
    if files:
        package = folder / "site" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        for file, text in files.items():
            (package / file).write_text(text)
    info = folder / "site" / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    groups = (f"[{group}]\n{point}\n" for group, point in points.items())
    (info / "entry_points.txt").write_text("".join(groups))


def command(folder, *arguments):
    """What `nn2crn` prints where the packages of `folder` are installed, and its exit status."""
    args = [sys.executable, "-m", "nn2crn.cli", *map(str, arguments)]
    done = subprocess.run(args, cwd=folder, capture_output=True, text=True, env=environment(folder), check=False)
    return done.returncode, done.stdout + done.stderr


def environment(folder):
    """One in which the packages of `folder`, and the modules beside them, are installed."""
    paths = [str(folder / "site"), str(folder), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

"""The same bytes whatever the hash seed, the locale and the number of threads; and no network, ever."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import pytest
from clients import MODELS
from effort import mostly_slow

from nn2crn.backends.registry import formats

SETTINGS = (
    {"PYTHONHASHSEED": "0", "LC_ALL": "C", "OMP_NUM_THREADS": "1"},
    {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "4", "TZ": "Asia/Tokyo"},
    {"PYTHONHASHSEED": "12345", "LC_ALL": "POSIX", "OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Prescott"},
)
COMPILE = "import sys, nn2crn.cli; sys.exit(nn2crn.cli.main())"
OFFLINE = """
import socket, sys
def refuse(*_, **__): raise SystemExit("the network was used")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
"""


def run(folder, code, *args, **env):
    command = [sys.executable, "-c", code, *map(str, args)]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("name", mostly_slow(["xor", "iris", "digits"], 1))
def test_the_same_bytes_under_all_settings(tmp_path, name):
    targets = [f"out{f.suffixes[0]}" for f in formats()]
    made = []
    for number, env in enumerate(SETTINGS):
        folder = tmp_path / str(number)
        folder.mkdir()
        outputs = [a for t in targets for a in ("-o", t)]
        run(folder, COMPILE, "compile", MODELS[name], "--logits", "--t-end", 10, *outputs, **env)
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert sorted(made[0]) == sorted(targets)
    for one, other in pairwise(made):
        assert [n for n in one if one[n] != other[n]] == []


@pytest.mark.parametrize(
    "args",
    [
        ("compile", "-q", MODELS["iris"], "-o", "iris.xml"),
        pytest.param(("verify", MODELS["xor"]), marks=pytest.mark.slow),
        pytest.param(("validate", "iris.xml"), marks=pytest.mark.slow),
        pytest.param(("certify", MODELS["iris"]), marks=pytest.mark.slow),
        pytest.param(("templates",), marks=pytest.mark.slow),
    ],
    ids=lambda args: args[0],
)
def test_the_network_is_never_used(tmp_path, args):
    if args[0] == "validate":
        run(tmp_path, COMPILE, "compile", "-q", MODELS["iris"], "-o", "iris.xml")
    run(tmp_path, OFFLINE + COMPILE, *args)

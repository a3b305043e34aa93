"""Runs that are killed, interrupted, or left without room: the target is the old file or the new one, and nothing else.

NN2CRN_KILLS=50 kills that many writes of 100 MB (`make fuzz`); without it a few small ones are killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from parts import needs

KILLS = int(os.environ.get("NN2CRN_KILLS", "0"))
LARGE = 820  # inputs and neurons: 100 MB, as Antimony takes about 150 bytes per weight
SIDE = LARGE if KILLS else 200
NN2CRN = [sys.executable, "-m", "nn2crn.cli"]
OLD = b"precious\n"
AS_ROOT = os.getuid() == 0  # whom no mode of a folder stops, unless that power is given up


def model(folder: Path, name: str, seed: int = 0, side: int = SIDE) -> Path:
    np.save(folder / f"{name}.npy", np.random.default_rng(seed).normal(size=(side, side)))
    text = f'input x[{side}] in [0, 1]\noutput y = relu(dense(x, weight = load("{name}.npy")))'
    (folder / f"{name}.nn").write_text(text)
    return folder / f"{name}.nn"


def command(source: Path, target: object, *options: str) -> list[str]:
    return [*NN2CRN, "compile", "-q", str(source), "-o", str(target), *options]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A model, and the file that it is compiled to."""
    folder = tmp_path_factory.mktemp("large")
    source = model(folder, "large")
    subprocess.run(command(source, folder / "large.ant"), check=True)
    return source, folder / "large.ant"


@pytest.fixture
def target(tmp_path):
    """A file that is there already, alone in its folder."""
    path = tmp_path / "targets" / "large.ant"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def written(process: subprocess.Popen[bytes]) -> int:
    """How many bytes the process has given to the system so far."""
    lines = Path(f"/proc/{process.pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def stopped(source: Path, target: Path, after: float, how: signal.Signals) -> subprocess.CompletedProcess[bytes]:
    """A run that gets a signal once it has written that many bytes, unless it has ended before."""
    process = subprocess.Popen(command(source, target), stderr=subprocess.PIPE)
    # a process that has ended and was not waited for can still be looked up, without its counts
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and written(process) < after:
        time.sleep(1e-3)  # or looking would take a processor of its own
    process.send_signal(how)
    _, said = process.communicate()
    return subprocess.CompletedProcess([], process.returncode, b"", said)


@pytest.mark.parametrize("seed", range(KILLS or 3))
def test_a_killed_run_leaves_the_old_file_or_the_new_one(seed, large, target):
    source, new = large
    # at any moment of the write, before it begins, or when all is written and only the name is missing
    moment = np.random.default_rng(seed).uniform(-0.05, 1.0) * new.stat().st_size
    done = stopped(source, target, moment, signal.SIGKILL)
    assert done.returncode in (0, -signal.SIGKILL)
    assert target.read_bytes() in ((OLD, new.read_bytes()) if done.returncode else (new.read_bytes(),))
    assert [p.name for p in target.parent.iterdir()] == [target.name]


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_says_so_and_leaves_the_old_file(target):
    """A large one, so that it is still being written when the signal comes."""
    source = model(target.parent.parent, "model", side=LARGE)
    done = stopped(source, target, 10e6, signal.SIGINT)
    assert (done.returncode, done.stderr.strip()) == (
        130,
        b"nn2crn: interrupted; what was not yet written whole is as it was",
    )
    assert target.read_bytes() == OLD
    assert [p.name for p in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("suffix", ["ant", "xml", "ant.gz", "npz", "omex"])
def test_a_file_that_may_not_grow_is_one_message(suffix, large, tmp_path):
    """Of each way to write: text, compressed text, an archive."""
    source, _ = large
    target = tmp_path / f"out.{suffix}"
    target.write_bytes(OLD)
    options = ["--t-end", "1"] if suffix == "omex" else []
    limited = ["prlimit", "--fsize=50000", *command(source, target, *options)]
    done = subprocess.run(limited, stderr=subprocess.PIPE, check=False)
    assert done.stderr.decode() == f"nn2crn: cannot write {target}: File too large\n"
    assert (done.returncode, target.read_bytes()) == (1, OLD)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


@needs("mount")
def test_a_full_disk_is_one_message(large, tmp_path):
    """A disk of 1 MB, which holds the old file and is gone with the run."""
    source, _ = large
    script = (
        'mount -t tmpfs -o size=1m none "$0" && cd "$0" && printf old > y.ant && "$@"; echo $? $(ls -A) $(cat y.ant)'
    )
    within = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(tmp_path)]
    done = subprocess.run([*within, *command(source, "y.ant")], capture_output=True, check=True)
    assert done.stderr.decode() == "nn2crn: cannot write y.ant: No space left on device\n"
    assert done.stdout.split() == [b"1", b"y.ant", b"old"]


def test_a_folder_that_may_not_be_written_to_is_one_message(target):
    source = model(target.parent.parent, "model")
    target.parent.chmod(0o555)
    harmless = ["setpriv", "--bounding-set=-dac_override"] if AS_ROOT else []
    done = subprocess.run([*harmless, *command(source, target)], stderr=subprocess.PIPE, check=False)
    assert done.stderr.decode() == f"nn2crn: cannot write {target}: Permission denied\n"
    assert (done.returncode, target.read_bytes()) == (1, OLD)
    target.parent.chmod(0o755)
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def test_a_missing_folder_is_one_message(large, tmp_path):
    target = tmp_path / "none" / "y.ant"
    done = subprocess.run(command(large[0], target), stderr=subprocess.PIPE, check=False)
    assert done.stderr.decode() == (
        f"nn2crn: cannot write {target}: No such file or directory\n"
        f"hint: there is no folder {target.parent}: make it first\n"
    )
    assert not target.parent.exists()


@pytest.mark.slow
def test_two_writers_of_one_target_do_not_mix(target):
    """Whoever reads meanwhile sees the old file or one of the new ones, whole."""
    folder = target.parent.parent
    sources = [model(folder, name, seed) for seed, name in enumerate(("first", "second"))]
    whole = {OLD}
    for source in sources:
        subprocess.run(command(source, folder / "out.ant", "--to", "antimony"), check=True)
        whole.add((folder / "out.ant").read_bytes())
    running = [subprocess.Popen(command(source, target)) for source in sources * 2]
    seen = set()
    while any(process.poll() is None for process in running):
        seen.add(target.read_bytes())
    assert [process.returncode for process in running] == [0] * 4
    assert seen <= whole
    assert target.read_bytes() in whole - {OLD}
    assert [p.name for p in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize(
    "arguments", [["compile", "-q", "--to", "antimony", "MODEL", "-o", "-"], ["templates"], ["ops"]]
)
def test_a_reader_that_leaves_early_hears_no_complaint(arguments, large):
    """As `| head` does, here at once."""
    given = [str(large[0]) if a == "MODEL" else a for a in arguments]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        done = subprocess.run([*NN2CRN, *given], stdout=out, stderr=subprocess.PIPE, check=False)
    assert done.stderr == b""

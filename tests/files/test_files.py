"""Targets of every kind: files are replaced whole; what is no file is written to, and is still there afterwards."""

from __future__ import annotations

import errno
import os
import pty
import select
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from effort import mostly_slow

from nn2crn.errors import OutputError
from nn2crn.files.atomic import write_text

XOR = Path(__file__).parents[2] / "samples" / "xor" / "xor.nn"
TEXT = "ä line\n" * 20_000  # more than a pipe holds


def text(out):
    out.write(TEXT)


def failing(out):
    out.write("half a line")
    raise OSError(errno.ENOSPC, "No space left on device")


def compile_to(target, **options):
    command = [sys.executable, "-m", "nn2crn.cli", "compile", "-q", "--to", "antimony", str(XOR), "-o", target]
    return subprocess.run(command, stderr=subprocess.PIPE, check=False, **options)


@pytest.fixture
def expected(tmp_path):
    assert compile_to(str(tmp_path / "expected.ant")).returncode == 0
    return (tmp_path / "expected.ant").read_bytes()


def read_in_background(path):
    read = []
    thread = threading.Thread(target=lambda: read.append(path.read_bytes()))
    thread.start()
    return thread, read


def test_a_named_pipe_is_written_to_and_stays_one(tmp_path):
    pipe = tmp_path / "pipe.ant"
    os.mkfifo(pipe)
    thread, read = read_in_background(pipe)
    write_text(pipe, text)
    thread.join()
    assert read == [TEXT.encode()]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [p.name for p in tmp_path.iterdir()] == ["pipe.ant"]


def test_a_link_to_a_named_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    thread, read = read_in_background(tmp_path / "pipe")
    write_text(tmp_path / "link", text)
    thread.join()
    assert read == [TEXT.encode()]
    assert (tmp_path / "link").is_symlink()


def test_a_reader_of_a_named_pipe_that_leaves_early_is_no_error(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["head", "-c", "5", str(pipe)], stdout=subprocess.PIPE)
    write_text(pipe, text)
    assert reader.communicate()[0] == TEXT.encode()[:5]


def test_a_device_is_written_to_and_stays_one():
    """A terminal, and not /dev/null, which a failure of this test would cost."""
    controller, terminal = pty.openpty()
    path = Path(os.ttyname(terminal))
    write_text(path, lambda out: out.write("seen\n"))
    assert select.select([controller], [], [], 10)[0]
    assert os.read(controller, 100).split() == [b"seen"]
    assert stat.S_ISCHR(path.stat().st_mode)
    os.close(terminal)
    os.close(controller)


@pytest.mark.parametrize("target", mostly_slow(["/dev/stdout", "-", "/dev/fd/1", "/proc/self/fd/1"], 1))
def test_standard_output_by_any_name_through_a_pipe(tmp_path, expected, target):
    done = compile_to(target, cwd=tmp_path, stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == expected
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize("target", mostly_slow(["-", "/dev/stdout", "/dev/fd/1"], 1))
def test_standard_output_into_a_file_keeps_what_was_there(tmp_path, expected, target):
    with (tmp_path / "log").open("w") as log:
        log.write("before\n")
        log.flush()
        assert compile_to(target, stdout=log).returncode == 0
    assert (tmp_path / "log").read_bytes() == b"before\n" + expected


def test_a_shells_process_substitution(tmp_path, expected):
    command = f"{sys.executable} -m nn2crn.cli compile -q --to antimony {XOR} -o >(cat > copy); wait $!"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    assert (tmp_path / "copy").read_bytes() == expected


@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
def test_a_full_device_is_one_message(target):
    with Path("/dev/full").open("w") as full:
        done = compile_to(target, stdout=full)
    assert done.returncode == 1
    assert done.stderr.decode() == f"nn2crn: cannot write {target}: No space left on device\n"


def test_a_descriptor_that_is_not_open_is_one_message():
    with pytest.raises(OutputError, match="cannot write /dev/fd/987: Bad file descriptor"):
        write_text(Path("/dev/fd/987"), text)


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "link").symlink_to("old")
    write_text(tmp_path / "link", text)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old").read_text(encoding="utf-8") == TEXT
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640
    assert len(list(tmp_path.iterdir())) == 2


def test_a_failure_midway_leaves_the_target_and_no_temporary_file(tmp_path):
    (tmp_path / "old").write_text("precious")
    with pytest.raises(OutputError, match=r"cannot write .*old: No space left on device"):
        write_text(tmp_path / "old", failing)
    assert (tmp_path / "old").read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["old"]

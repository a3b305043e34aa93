"""What `make fuzz` has found stays mended; and a few fresh cases, as it makes them by the thousand."""

from __future__ import annotations

import signal

import fuzz
import pytest
from effort import examples
from fuzz import KINDS

KEPT = sorted(fuzz.REGRESSIONS.iterdir())


@pytest.fixture(autouse=True)
def _alarm():
    """A run that takes too long is stopped, as in a fuzzing process."""
    before = signal.signal(signal.SIGALRM, fuzz.too_long)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("path", KEPT, ids=lambda p: p.name)
def test_what_failed_once_does_not_fail_again(path, tmp_path):
    for command in fuzz.COMMANDS[path.suffix]:
        ended = fuzz.outcome(path.read_bytes(), path.suffix, command, tmp_path)
        assert ended in ("done", "refused", "usage"), f"nn2crn {command}: {ended}"


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_files_end_in_success_or_one_clear_error(kind, tmp_path):
    ended = [fuzz.outcome(*fuzz.case(kind, 1, number), tmp_path) for number in range(examples(60))]
    assert set(ended) <= {"done", "refused", "usage"}
    assert "done" in ended
    assert {"refused", "usage"} & set(ended)


def test_a_case_is_the_same_each_time():
    for kind in KINDS:
        assert fuzz.case(kind, 3, 5) == fuzz.case(kind, 3, 5)
        assert fuzz.case(kind, 3, 5) != fuzz.case(kind, 3, 6)


@pytest.mark.parametrize(("command", "why"), [("formats --nothing", "usage"), ("check M", "FAILED")])
def test_a_failure_is_noticed(command, why, tmp_path, monkeypatch):
    """The counter of failures, on a command that is one."""

    def defect(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("nn2crn.frontends.nn.reader.parse_network", defect)
    assert fuzz.outcome(b"input x[1] output x", ".nn", command, tmp_path).startswith(why)

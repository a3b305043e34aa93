"""What holds for all tests: optional parts, interrupts, and no clock for Hypothesis."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import parts
import pytest
from hypothesis import HealthCheck, settings

# a property that takes long on a busy machine holds none the less
settings.register_profile("without a clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without a clock")


def pytest_addoption(parser: pytest.Parser) -> None:
    """pytest --update-golden."""
    parser.addoption("--update-golden", action="store_true", help="write what is made now into the golden files")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str, str], None]:
    """A part of a golden file is what is made now; with --update-golden, it becomes so."""

    def check(path: Path, old: str, new: str) -> None:
        if request.config.getoption("--update-golden") and old != new:
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{path}: it is not clear what to renew"
            path.write_text(text.replace(old, new), encoding="utf-8")
            return
        assert new == old

    return check


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leaves out what needs a part that is not here, or fails it (see parts.py); what passes make is verified."""
    os.environ["NN2CRN_VERIFY"] = "0" if item.get_closest_marker("unverified") else "1"
    for marker in item.iter_markers("needs"):
        parts.require(marker.args)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line on what was left out and how to get it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = (report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    line = parts.left_out(reasons, slow=config.option.markexpr == "not slow")
    if line:
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Programs that the test starts heed SIGINT, even if the tests run in the background, where shells ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

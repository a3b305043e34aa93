"""What holds for all tests: optional parts, interrupts, and no clock for Hypothesis."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import parts
import pytest
from hypothesis import HealthCheck, settings

os.environ["NN2CRN_VERIFY"] = "1"  # here and in the programs that tests start, every pass is verified

# a property that takes long on a busy machine holds none the less
settings.register_profile("without a clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without a clock")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leaves out what needs a part that is not here, or fails it: see parts.py."""
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

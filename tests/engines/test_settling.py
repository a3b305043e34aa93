"""When a time course has settled, and at what times it is looked at."""

import numpy as np
import pytest

from nn2crn.engines.settling import log_times, settling_time, settling_times, unsettled

TIMES = np.array([0.0, 1.0, 2.0, 3.0])


def course(*samples):
    """Courses of one value each, (times, samples, 1)."""
    return np.array(samples, dtype=float).T[:, :, None]


@pytest.mark.parametrize(
    ("values", "steps", "time"),
    [
        ([0, 0, 0, 0], 0, 0),  # it is there from the start
        ([5, 0, 0, 0], 1, 1),
        ([0, 5, 0, 0], 2, 2),  # it was near before, but not for good
        ([0, 0, 0, 5], 4, 3),  # it never settles: the last time
    ],
)
def test_the_time_after_the_last_one_away(values, steps, time):
    ends = np.zeros((1, 1))
    assert unsettled(course(values), ends, 0.1) == [steps]
    assert settling_times(TIMES, course(values), ends, 0.1) == [time]


def test_each_sample_has_a_time_and_all_have_the_largest():
    courses, ends = course([5, 0, 0, 0], [5, 5, 0, 0]), np.zeros((2, 1))
    np.testing.assert_array_equal(settling_times(TIMES, courses, ends, 0.1), [1, 2])
    assert settling_time(TIMES, courses, ends, 0.1) == 2


def test_a_relative_tolerance_is_absolute_below_one():
    large, small = course([101, 100, 100, 100]), course([0.1, 0, 0, 0])
    assert unsettled(large, np.array([[100.0]]), 0.05) == [1]
    assert unsettled(large, np.array([[100.0]]), 0.05, relative=True) == [0]
    assert unsettled(small, np.zeros((1, 1)), 0.05, relative=True) == [1]


def test_nothing_settles_at_once():
    assert settling_time(TIMES, np.zeros((4, 3, 0)), np.zeros((3, 0)), 0.1) == 0


def test_times_are_even_on_a_logarithmic_axis():
    times = log_times(1e6, 10)
    assert times[0] == 0
    np.testing.assert_allclose(times[1:], 10.0 ** np.arange(-2, 7))

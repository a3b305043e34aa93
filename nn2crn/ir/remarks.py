"""Remarks are text that a user should see; some of them tell of results that may be wrong."""


class RangeWarning(str):
    """A remark that drives may leave the range in which a template is within its stated error; never kept quiet."""

    __slots__ = ()

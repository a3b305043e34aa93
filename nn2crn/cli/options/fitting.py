"""The options that choose templates' parameters for an accuracy or a settling time, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from nn2crn.cli.options.sections import Heading, under, with_options
from nn2crn.cli.options.values import POSITIVE, intervals
from nn2crn.errors import UsageError

if TYPE_CHECKING:
    from nn2crn.compiler import Options
    from nn2crn.ir.arrays import Floats
    from nn2crn.ir.network import Network
    from nn2crn.passes.network.set_domain import Bound
    from nn2crn.tune.template_parameters import Fit


@dataclass(frozen=True)
class FittingOptions:
    """--accuracy, --settling-time, --box and --save-config, as given."""

    accuracy: float | None = None
    settling_time: float | None = None
    box: tuple[str, ...] = ()
    save_config: str | None = None

    @property
    def given(self) -> bool:
        """True if parameters are to be chosen."""
        return self.accuracy is not None or self.settling_time is not None

    def boxes(self) -> dict[str, tuple[Bound, Bound]]:
        """Return the box of the inputs by name, or "" for all."""
        return dict(intervals(b, "--box") for b in self.box)

    def fit(self, network: Network, chosen: Options, data: Mapping[str, Floats] | None) -> Fit | None:
        """Parameters for what is asked for, if anything is.

        Raises:
            UsageError: both are given, or parameters besides.
            ToleranceError: there are no such parameters.
        """
        if not self.given:
            return None
        if self.accuracy is not None and self.settling_time is not None:
            raise UsageError("--accuracy and --settling-time exclude each other")
        if chosen.explicit:
            option = "--settling-time" if self.accuracy is None else "--accuracy"
            raise UsageError(
                f"{option} chooses the templates' parameters", hint=f"leave out --set and the like, or {option}"
            )
        from nn2crn.tune.template_parameters import fit, fit_time

        if self.accuracy is not None:
            return fit(network, chosen, self.accuracy, data, self.boxes())
        assert self.settling_time is not None  # noqa: S101  # one of the two is given
        return fit_time(network, chosen, self.settling_time, data, self.boxes())


def fitting_options(command: Callable[..., None]) -> Callable[..., None]:
    """--accuracy, --settling-time, --box and --save-config, which the command gets as one argument, `fitting`."""

    @wraps(command)
    def collected(
        accuracy: float | None,
        settling_time: float | None,
        box: tuple[str, ...],
        save_config: str | None,
        **others: Any,
    ) -> None:
        command(fitting=FittingOptions(accuracy, settling_time, box, save_config), **others)

    option = under(Heading.TEMPLATES)
    options = [
        option("--accuracy", metavar="E", type=POSITIVE,
               help="Choose the templates' parameters so that no output is further than E from the network."),
        option("--settling-time", metavar="T", type=POSITIVE, help="Choose them to settle in T seconds instead."),
        option("--box", metavar="[NAME=]LO:HI[,LO:HI...]", multiple=True,
               help="Where the inputs lie, for proofs: one interval, or one per element; else where --data do,"
               " or in their domain."),
        option("--save-config", metavar="FILE", help="Write the parameters to FILE, to be given as --config."),
    ]  # fmt: skip
    return with_options(collected, options)

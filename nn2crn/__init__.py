"""nn2crn: compiles a trained neural network into a chemical reaction network that computes it at steady state.

For instance::

    import nn2crn

    network = nn2crn.load("iris.onnx")
    reactions = nn2crn.compile(network)
    nn2crn.write(reactions, "iris.xml")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nn2crn.version import __version__

_WHERE = {
    "Certificate": "certificates.certificate",
    "Compression": "compiler",
    "Library": "compiler",
    "Limits": "evaluate.tube.realise",
    "Nn2crnError": "errors",
    "Options": "compiler",
    "Pruning": "passes.compression.options",
    "Quantization": "passes.compression.options",
    "RateIndependence": "certificates.rate_independence",
    "Realisation": "evaluate.tube.realise",
    "Report": "evaluate.verify",
    "ReportPage": "reporting.report",
    "Robustness": "evaluate.tube.robustness",
    "Run": "evaluate.time_course",
    "Training": "training.options",
    "Units": "compiler",
    "certify": "api",
    "compile": "compiler",
    "compress": "compiler",
    "load": "compiler",
    "predict": "api",
    "realise": "api",
    "recurrent": "frontends.recurrent",
    "report": "api",
    "robustness": "api",
    "sensitivities": "engines.steady_state.sensitivity",
    "simulate": "api",
    "train": "training.train",
    "verify": "api",
    "write": "compiler",
}
__all__ = [
    "Certificate",
    "Compression",
    "Library",
    "Limits",
    "Nn2crnError",
    "Options",
    "Pruning",
    "Quantization",
    "RateIndependence",
    "Realisation",
    "Report",
    "ReportPage",
    "Robustness",
    "Run",
    "Training",
    "Units",
    "__version__",
    "certify",
    "compile",
    "compress",
    "load",
    "predict",
    "realise",
    "recurrent",
    "report",
    "robustness",
    "sensitivities",
    "simulate",
    "train",
    "verify",
    "write",
]

if TYPE_CHECKING:
    from nn2crn.api import certify, predict, realise, report, robustness, simulate, verify
    from nn2crn.certificates.certificate import Certificate
    from nn2crn.certificates.rate_independence import RateIndependence
    from nn2crn.compiler import Compression, Library, Options, Units, compile, compress, load, write  # noqa: A004  # the verb users know
    from nn2crn.engines.steady_state.sensitivity import sensitivities
    from nn2crn.errors import Nn2crnError
    from nn2crn.evaluate.time_course import Run
    from nn2crn.evaluate.tube.realise import Limits, Realisation
    from nn2crn.evaluate.tube.robustness import Robustness
    from nn2crn.evaluate.verification import Report
    from nn2crn.frontends.recurrent import recurrent
    from nn2crn.passes.compression.options import Pruning, Quantization
    from nn2crn.reporting.report import ReportPage
    from nn2crn.training.options import Training
    from nn2crn.training.train import train

else:

    def __getattr__(name: str) -> Any:
        """The interface is imported when first used, so that `nn2crn --help` stays instant."""
        if name in _WHERE:
            return getattr(import_module(f"nn2crn.{_WHERE[name]}"), name)
        raise AttributeError(f"module 'nn2crn' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The interface, whether it has been used yet or not."""
    return __all__

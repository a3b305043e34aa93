"""What `nn2crn verify` has found, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from nn2crn.engines.registry import engine_named
from nn2crn.ir.arrays import Floats

ENGINES: Mapping[str, str] = {
    "engine": "<", "max error": ">", "mean error": ">", "same argmax": "<", "settles in": ">", "worst sample": ">",
    "took": ">",
}  # fmt: skip
"""The columns of the table of engines, < left and > right."""

LAYERS: Mapping[str, str] = {"layer": "<", "template": "<", "max error": ">", "settles in": ">"}
"""The columns of the table of layers."""


@dataclass(frozen=True)
class EngineReport:
    """How far one engine's outputs are from the network's; times in seconds.

    `settling_time` is when all outputs of every sample have come within the tolerance of their end for good (on the
    model's clock), None for an engine without one. `from_compiled` is the largest error from the network as it was
    compiled, None if that has the model's own weights. Samples whose two largest outputs are nearer than twice the
    tolerance are `thin_margins`, and not counted for `same_class`, which is None unless there is a choice.
    `accuracy` is the share of samples that get their label, None without labels.
    """

    engine: str
    max_error: float
    mean_error: float
    same_class: float | None
    thin_margins: int
    settling_time: float | None
    worst_sample: int
    seconds: float
    load_seconds: float
    from_compiled: float | None = None
    accuracy: float | None = None

    @property
    def error(self) -> float:
        """The largest error of the chemistry: what weights are rounded by is none of its own."""
        return self.max_error if self.from_compiled is None else self.from_compiled


@dataclass(frozen=True)
class Compiled:
    """How far the network as it was compiled, pruned, quantized or in whole weights, is from the model itself."""

    rounding_error: float
    mean_rounding_error: float
    same_class: float | None


def counted(samples: int, drawn: str = "samples") -> str:
    """`4 samples`, `1 random sample of x in [0, 1]`."""
    return f"{samples} {drawn if samples != 1 else drawn.replace('samples', 'sample', 1)}"


def verdict(compiled: Compiled | None, tolerance: float, samples: int, *, within: bool) -> str:
    """State how far the chemistry is off, and from which network, if there are two: `within 0.01 on 4 samples`."""
    found = f"{'within' if within else 'NOT within'} {tolerance:g} on {counted(samples)}"
    return f"chemistry against the network as compiled: {found}" if compiled else found


def against_model(compiled: Compiled | None) -> str:
    """State how far the network as compiled is from the model, to follow a verdict; nothing if they are the same."""
    if compiled is None:
        return ""
    same = "" if compiled.same_class is None else f" ({compiled.same_class:.1%} same class)"
    return f"; network as compiled against your model: at most {compiled.rounding_error:.1e}{same}"


@dataclass(frozen=True)
class Failure:
    """An engine that got no result, and what it said."""

    engine: str
    message: str
    hint: str


@dataclass(frozen=True)
class Skipped:
    """An engine that was not asked for and did not run, and why."""

    engine: str
    reason: str


@dataclass(frozen=True)
class LayerReport:
    """One module: how far it is from the exact network's layer, and when it settles."""

    name: str
    template: str
    max_error: float
    settling_time: float | None


@dataclass(frozen=True, repr=False)
class Report:
    """What `nn2crn verify` found.

    Attributes:
        model: the file.
        samples: how many inputs were run.
        drawn: what they are: samples, or random samples of a box.
        tolerance: the largest error that is good.
        reference: what computed the network's own values.
        engines: by engine, how far it is off.
        layers: the same by layer.
        departs: the first layer past the tolerance.
        disagreement: the largest difference between outputs of two engines.
        failures: engines without a result.
        skipped: engines that did not run, though none were chosen.
        file: that was shipped and run by the clients; None if they ran what is compiled now.
        difference: the first thing in which that file is not what its record names; empty if there is none.
        parameters: the template of each layer, and its parameters.
        compiled: how far the network as it was compiled is from the model; None if it has the model's weights.
        accuracy: the share of samples to which the network itself gives their label; None without labels.
        outputs: that each engine has computed, (samples, n); not in the JSON.
    """

    model: str
    samples: int
    tolerance: float
    reference: str
    engines: tuple[EngineReport, ...]
    layers: tuple[LayerReport, ...]
    departs: str | None
    disagreement: float
    failures: tuple[Failure, ...] = ()
    file: str | None = None
    difference: str = ""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    drawn: str = "samples"
    compiled: Compiled | None = None
    accuracy: float | None = None
    outputs: Mapping[str, Floats] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        worst = max((e.error for e in self.engines), default=float("nan"))
        ran = ", ".join(e.engine for e in self.engines) or "no engine"
        failed = f"; {', '.join(f.engine for f in self.failures)} failed" * bool(self.failures)
        said = verdict(self.compiled, self.tolerance, self.samples, within=self.within)
        return f"<Report: {said} in {ran} (at most {worst:.1e}){failed}{against_model(self.compiled)}>"

    def __str__(self) -> str:
        return "\n".join([self.heading(), _side_by_side(ENGINES, self.rows()), *self.conclusions()])

    @property
    def within(self) -> bool:
        """True if no engine that ran is past the tolerance, from the network as it was compiled."""
        return all(e.error <= self.tolerance for e in self.engines)

    @property
    def ok(self) -> bool:
        return self.within and not self.failures and not self.difference

    @property
    def clients(self) -> tuple[str, ...]:
        """The clients that ran, or tried to."""
        ran = [e.engine for e in self.engines] + [f.engine for f in self.failures]
        return tuple(name for name in ran if engine_named(name).reads_file)

    def heading(self) -> str:
        """What was run against what."""
        clients = " and ".join(engine_named(name).title or name for name in self.clients)
        shipped = f", {self.file} in {clients}" if self.file and clients else ""
        return f"{self.model}: {counted(self.samples, self.drawn)} against {self.reference}{shipped}"

    def rows(self, clock: str = "s") -> list[tuple[str, ...]]:
        """The engines in the columns of `ENGINES`, times by the model's clock."""
        rows: list[tuple[str, ...]] = []
        for e in self.engines:
            agreed = "" if e.same_class is None else f"{e.same_class:.1%}"
            thin = f" ({e.thin_margins} too close)" if e.thin_margins else ""
            settled = "" if e.settling_time is None else f"{e.settling_time:.3g} {clock}"
            rows.append((e.engine, f"{e.max_error:.1e}", f"{e.mean_error:.1e}", agreed + thin, settled,
                         str(e.worst_sample), f"{e.seconds:.2f} s"))  # fmt: skip
        return rows + [(f.engine, "failed", "", "", "", "", "") for f in self.failures]

    def layer_rows(self, clock: str = "s") -> list[tuple[str, ...]]:
        """The layers in the columns of `LAYERS`."""
        return [
            (layer.name, layer.template, f"{layer.max_error:.1e}",
             "" if layer.settling_time is None else f"{layer.settling_time:.3g} {clock}") for layer in self.layers
        ]  # fmt: skip

    def conclusions(self) -> Iterator[str]:
        """Yield what follows from the tables, the verdict towards the end."""
        if len(self.engines) > 1:
            yield f"engines differ by at most {self.disagreement:.1e}"
        for f in self.failures:
            yield f.message + f"\nhint: {f.hint}" * bool(f.hint)
        for reason in dict.fromkeys(s.reason for s in self.skipped):
            yield f"not run: {', '.join(s.engine for s in self.skipped if s.reason == reason)} ({reason})"
        if self.file and not self.clients:
            yield f"{self.file} ran in no program: only its text was compared, with what its record names"
        if self.accuracy is not None:
            found = "".join(f", {e.engine} {e.accuracy:.1%}" for e in self.engines)
            yield f"accuracy against the labels: {self.reference} {self.accuracy:.1%}{found}"
        if self.compiled and self.engines:
            yield _rounding(self.compiled, max(e.error for e in self.engines))
        yield self._verdict()
        if self.difference:
            yield f"NOT what it says it is: {self.file}: {self.difference}"

    def _verdict(self) -> str:
        """An engine that failed is not one that is past the tolerance."""
        failed = ", ".join(f.engine for f in self.failures)
        if not self.engines:
            return f"nothing was measured: {failed} failed"
        past = f"; {self.departs} departs first" if self.departs and not self.within else ""
        word = "within" if self.within else "NOT within"
        what = "the network as compiled" if self.compiled else "the network"
        return f"{word} {self.tolerance:g} of {what}{past}{f'; {failed} failed' if failed else ''}"

    def as_json(self) -> dict[str, Any]:
        found = asdict(replace(self, outputs={})) | {"ok": self.ok}
        del found["outputs"]
        return found | {"layer_templates": found.pop("parameters")}


def _rounding(compiled: Compiled, chemistry: float) -> str:
    """Both comparisons: what the weights cost is none of the chemistry's error."""
    agreed = "" if compiled.same_class is None else f" ({compiled.same_class:.1%} same argmax)"
    return (
        f"the network as compiled, in weights that are not the model's, is at most {compiled.rounding_error:.1e}"
        f" from the model{agreed}; the chemistry is at most {chemistry:.1e} from the network as compiled"
    )


def _side_by_side(columns: Mapping[str, str], rows: list[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell."""
    every = [tuple(columns), *rows]
    widths = [max(len(row[i]) for row in every) for i in range(len(columns))]
    aligned = list(zip(columns.values(), widths, strict=True))
    return "\n".join(
        "  ".join(f"{cell:{side}{width}}" for cell, (side, width) in zip(row, aligned, strict=True)).rstrip()
        for row in every
    )

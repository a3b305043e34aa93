"""A COMBINE archive: the model in SBML, what to simulate in SED-ML, and Antimony and LaTeX beside them.

A zip file without dates, so that the same network gives the same bytes.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable
from typing import BinaryIO, TextIO
from xml.sax.saxutils import escape

import numpy as np

from nn2crn.backends import antimony
from nn2crn.backends.combine import sedml
from nn2crn.backends.latex import writer
from nn2crn.backends.sbml import writer as sbml
from nn2crn.errors import UsageError
from nn2crn.ir.arrays import Floats, Ints, ints
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.simulate.cvode.internal import Internal, SimulationError
from nn2crn.version import __version__

_COMBINE = "http://identifiers.org/combine.specifications/"
_MEDIA = "http://purl.org/NET/mediatypes/"
_CONTENTS = {  # locations and formats
    "model.xml": f"{_COMBINE}sbml.level-3.version-1",
    "experiment.sedml": f"{_COMBINE}sed-ml.level-1.version-3",
    "model.ant": f"{_MEDIA}text/x-antimony",
    "model.tex": f"{_MEDIA}application/x-tex",
    "metadata.rdf": f"{_COMBINE}omex-metadata",
}
_SBML = "http://www.sbml.org/sbml/level3/version1/core"  # what the back end writes unless told otherwise
_TIMES = np.concatenate([[0.0], np.geomspace(1e-2, 1e7, 361)])  # seconds
_SETTLED = 1e-6  # how near an output is to its end, relative where that exceeds 1
_MASTER = "experiment.sedml"


def emit(network: ReactionNetwork, out: BinaryIO, *, t_end: float | None = None) -> None:
    """Writes the archive.

    Args:
        network: what to write.
        out: a file that can seek.
        t_end: of both simulations, in the unit of time; if None, measured by simulating them here.

    Raises:
        UsageError: `t_end` is not positive, or the network does not settle without it.
    """
    if t_end is not None and not 0 < t_end < float("inf"):
        raise UsageError(
            f"--t-end {t_end}: a time course must take some time", hint="give a positive number, in the unit of time"
        )
    try:
        course, scan = _settling_times(network) if t_end is None else (t_end, t_end)
    except SimulationError as e:
        raise UsageError(f"how long to simulate was not found: {e.message}", hint="say it with --t-end") from None
    writers: dict[str, Callable[[TextIO], object]] = {
        "model.xml": lambda file: sbml.emit(network, file),
        "experiment.sedml": lambda file: file.writelines(sedml.document(network, "model.xml", _SBML, course, scan)),
        "model.ant": lambda file: antimony.emit(network, file),
        "model.tex": lambda file: writer.emit(network, file, standalone=True),
        "metadata.rdf": lambda file: file.write(_metadata(network)),
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "manifest.xml", lambda file: file.write(_manifest()))
        for location, write in writers.items():
            _add(archive, location, write)


def _settling_times(network: ReactionNetwork) -> tuple[float, float]:
    """How long outputs change: from the file's start with its inputs, and in the scan, from the ends of one value."""
    scanned = sedml.scanned(network)
    inputs = {p.name: np.tile(p.values, (len(scanned) + 1, 1)) for p in network.inputs}
    for name in list(inputs)[:1]:
        inputs[name][1:, 0] = scanned
    engine, watch = Internal(network), _read_species(network)
    states = engine.settle(inputs)
    starts = np.concatenate([np.tile(network.initial, (min(2, len(states)), 1)), states[1:-1]])
    ends = _outputs(network, watch, states[:, watch])
    courses = _outputs(network, watch, engine.trajectories(inputs, _TIMES, watch, starts))
    away = np.any(np.abs(courses - ends) > _SETTLED * np.maximum(1.0, np.abs(ends)), axis=2)
    times = [_TIMES[np.flatnonzero([True, *column[:-1]])[-1]] for column in away.T]  # after the last time away
    return _rounded_up(times[0]), _rounded_up(max(times))


def _read_species(network: ReactionNetwork) -> Ints:
    """The species that outputs are read from, ascending."""
    return np.unique(np.concatenate([ints([]), *(i for p in network.outputs for i, _ in p.readout.terms)]))


def _outputs(network: ReactionNetwork, watch: Ints, state: Floats) -> Floats:
    """All scalar outputs (..., n) from the concentrations of these species (..., watched)."""
    read = [state[..., :0]]
    for readout in (p.readout for p in network.outputs):
        constant = np.broadcast_to(readout.constant, (*state.shape[:-1], readout.size))
        read.append(sum((state[..., np.searchsorted(watch, i)] * c for i, c in readout.terms), start=constant))
    return np.concatenate(read, axis=-1)


def _rounded_up(time: float) -> float:
    """To one digit, and at least to a second."""
    if time <= 1:
        return 1.0
    digit = 10.0 ** math.floor(math.log10(time))
    return math.ceil(time / digit) * digit


def _add(archive: zipfile.ZipFile, location: str, write: Callable[[TextIO], object]) -> None:
    """A text as a member, written piece by piece."""
    member = zipfile.ZipInfo(location)  # dated 1980
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3  # Unix, wherever this runs
    member.external_attr = 0o100644 << 16
    with archive.open(member, "w", force_zip64=True) as raw, io.TextIOWrapper(raw, "utf-8", newline="\n") as file:
        write(file)


def _manifest() -> str:
    entries = {".": f"{_COMBINE}omex", "./manifest.xml": f"{_COMBINE}omex-manifest"}
    entries |= {f"./{location}": kind for location, kind in _CONTENTS.items()}
    master = {f"./{_MASTER}": ' master="true"'}
    lines = [
        f'<content location="{location}" format="{kind}"{master.get(location, "")}/>\n'
        for location, kind in entries.items()
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<omexManifest xmlns="{_COMBINE}omex-manifest">\n{"".join(lines)}</omexManifest>\n'
    )


def _metadata(network: ReactionNetwork) -> str:
    """What the archive is, and what made it; no date, which would change the bytes."""
    said = f"The neural network {network.name}, compiled to a chemical reaction network by nn2crn {__version__}."
    text = escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in said))
    source = f"<dcterms:source>sha256:{network.source}</dcterms:source>\n" if network.source else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcterms="http://purl.org/dc/terms/">\n'
        f'<rdf:Description rdf:about=".">\n<dcterms:description>{text}</dcterms:description>\n{source}'
        "</rdf:Description>\n</rdf:RDF>\n"
    )

"""A COMBINE archive: the model in SBML, what to simulate in SED-ML, and Antimony and LaTeX beside them.

A zip file without dates, so that the same network gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import BinaryIO, TextIO

from nn2crn.backends.antimony import writer as antimony
from nn2crn.backends.clients import options_in_archive
from nn2crn.backends.combine import sedml
from nn2crn.backends.common.xml_text import text
from nn2crn.backends.latex import writer
from nn2crn.backends.options import LatexOptions, OmexOptions, SbmlOptions
from nn2crn.backends.sbml import writer as sbml
from nn2crn.errors import UsageError
from nn2crn.ir.reactions import ReactionNetwork
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
_SBML = "http://www.sbml.org/sbml/level3/version1/core"  # the back end's default
_MASTER = "experiment.sedml"


def emit(network: ReactionNetwork, out: BinaryIO, options: OmexOptions) -> None:
    """Writes the archive to a file that can seek.

    Raises:
        UsageError: the options have no end time.
    """
    if options.t_end is None:
        raise UsageError("an archive says how long to simulate, and that is not known", hint="say it with --t-end")
    course, scan = options.t_end, options.t_scan or options.t_end
    form = SbmlOptions(**options_in_archive(network))
    writers: dict[str, Callable[[TextIO], object]] = {
        "model.xml": lambda file: sbml.emit(network, file, form),
        "experiment.sedml": lambda file: file.writelines(sedml.document(network, "model.xml", _SBML, course, scan)),
        "model.ant": lambda file: antimony.emit(network, file),
        "model.tex": lambda file: writer.emit(network, file, LatexOptions(standalone=True)),
        "metadata.rdf": lambda file: file.write(_metadata(network)),
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "manifest.xml", lambda file: file.write(_manifest()))
        for location, write in writers.items():
            _add(archive, location, write)


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
    """Describe the archive and its maker; without a date, which would change the bytes."""
    said = f"The neural network {network.name}, compiled to a chemical reaction network by nn2crn {__version__}."
    if options_in_archive(network):
        said += (
            f" In model.xml its {network.reaction_count} reactions are lumped by what they change; model.ant has each."
        )
    source = f"<dcterms:source>sha256:{network.source}</dcterms:source>\n" if network.source else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcterms="http://purl.org/dc/terms/">\n'
        f'<rdf:Description rdf:about=".">\n<dcterms:description>{text(said)}</dcterms:description>\n{source}'
        "</rdf:Description>\n</rdf:RDF>\n"
    )

"""Notes and annotation of an SBML file: instructions for people, and provenance for programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from nn2crn.backends.common.names import Ids
from nn2crn.backends.common.rails import settings
from nn2crn.backends.common.usage_notes import how_to_use
from nn2crn.backends.common.xml_text import quote, text
from nn2crn.backends.record import show_record
from nn2crn.backends.sbml.options import Style
from nn2crn.errors import UsageError
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.version import __version__


def notes(network: ReactionNetwork, ids: Ids, style: Style) -> Iterator[str]:
    """The notes and the annotation of the model."""
    yield '<notes><body xmlns="http://www.w3.org/1999/xhtml">\n'
    yield from (f"<p>{text(line)}</p>\n" for line in _lines(network, ids, style))
    yield "</body></notes>\n<annotation>\n"
    yield from _history(ids)
    yield (
        f'<compiled xmlns="urn:nn2crn:provenance" by="nn2crn {__version__}" source-sha256="{network.source}"'
        f' encoding="{network.encoding}" kinetics="{style.options.kinetics}"'
        f' kappa="{network.kappa!r}">\n'
    )
    for m in network.modules:
        values = " ".join(f"{k}={v!r}" for k, v in m.values.items() if isinstance(v, float))
        parameters = f" parameters={quote(values)}" if values else ""
        source = f" template-source={quote(m.provenance)}" if m.provenance else ""
        yield f'<module name={quote(m.name)} size="{m.size}" template="{m.template}"{source}{parameters}/>\n'
    record = show_record(network, asdict(style.options))
    if record:
        yield f"<record>{text(record)}</record>\n"
    yield "</compiled>\n</annotation>\n"


def _lines(network: ReactionNetwork, ids: Ids, style: Style) -> Iterator[str]:
    kind = "mass-action kinetics"
    if style.lumped:
        kind += (
            ", its reactions lumped: one for each way in which species change, at the sum of the rates of the"
            " elementary reactions that do. The differential equations are the same"
        )
    if style.inputs_as_parameters:
        kind += ", inputs are parameters of the rate laws, which no species follow"
    if style.drives_as_parameters:
        kind += ", and the weighted sums in the rate laws are parameters, by rule"
    yield f"The neural network {network.name}, compiled to {kind}, by nn2crn {__version__}."
    yield from how_to_use(network, rules=not style.pure)
    if style.inputs_as_parameters:
        yield from _split(network, ids)
    if style.pure:
        yield from settings(network, ids.species)
    yield from network.remarks


def _split(network: ReactionNetwork, ids: Ids) -> Iterator[str]:
    """Explain how to set inputs that have a parameter for each sign."""
    for port in network.inputs:
        if port.held and port.minus and port.plus.size:
            plus, minus = (ids.species[b.start] for b in (port.plus, port.minus))
            yield (
                f"{port.name} may be negative, and each element is two parameters, of which one is 0: {plus} is the"
                f" positive part of {port.name}[0], {minus} its negative part, and so on."
            )


def _history(ids: Ids) -> Iterator[str]:
    """Write creator and date, the latter only from SOURCE_DATE_EPOCH: the current date would change the bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return
    try:
        date = f"{datetime.fromtimestamp(int(epoch), UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch!r}, which is not a date", hint="a number of seconds") from None
    w3c = f'rdf:parseType="Resource"><dcterms:W3CDTF>{date}</dcterms:W3CDTF>'
    yield (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:vCard="http://www.w3.org/2001/vcard-rdf/3.0#">\n'
        f'<rdf:Description rdf:about="#{ids.model}">\n<dcterms:creator><rdf:Bag><rdf:li rdf:parseType="Resource">'
        # a person's name is what libSBML insists on
        f'<vCard:N rdf:parseType="Resource"><vCard:Family>nn2crn</vCard:Family><vCard:Given>{__version__}</vCard:Given>'
        f'</vCard:N><vCard:ORG rdf:parseType="Resource"><vCard:Orgname>nn2crn {__version__}</vCard:Orgname></vCard:ORG>'
        "</rdf:li></rdf:Bag></dcterms:creator>\n"
        f"<dcterms:created {w3c}</dcterms:created>\n<dcterms:modified {w3c}</dcterms:modified>\n"
        "</rdf:Description>\n</rdf:RDF>\n"
    )

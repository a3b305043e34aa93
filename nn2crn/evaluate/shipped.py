"""Shipped files: the record of how one was made, and whether the file agrees with it."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from xml.parsers import expat

from nn2crn.backends.antimony import difference as antimony_difference
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.rails import Rails
from nn2crn.backends.options import SbmlOptions
from nn2crn.backends.record import MARK, ProvenanceError, Record, read_record
from nn2crn.backends.registry import format_of
from nn2crn.backends.sbml import difference as sbml_difference
from nn2crn.errors import SizeError, UsageError
from nn2crn.files.reading import look_at
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.memory import allowed

_COPIES = 8  # of a file that are in memory at a time, at most
_PROVENANCE = "urn:nn2crn:provenance record"
_CREATED = re.compile(rb"\s*<\?xml[^>]*>\s*<!-- Created by (\w+)")  # as COPASI and others begin what they save


def _rewritten(sbml: bytes) -> str:
    """Return the program that saved the file again, if it says so."""
    by = _CREATED.match(sbml)
    return f" (the file was saved again by {by[1].decode()})" if by else ""


@dataclass(frozen=True, eq=False)
class Shipped:
    """A file that the compiler has written.

    Attributes:
        path: as it was given.
        record: what it says of how it was made.
        text: the SBML or Antimony in it.
        sbml: the SBML that programs load: the text itself, or what libAntimony makes of it.
        beside: the Antimony in an archive, which no program is run on here.
    """

    path: str
    record: Record
    text: bytes
    sbml: bytes
    beside: bytes = b""

    @property
    def options(self) -> SbmlOptions:
        """Return the options of SBML in the record; Antimony has none."""
        given: Mapping[str, Any] = self.record.options
        return SbmlOptions(**given)

    def difference(self, network: ReactionNetwork) -> str:
        """The first thing in which the file is not `network`, as its record says to write it; empty if there is none.

        What the inputs are at the start does not count.

        Raises:
            ProvenanceError: its record names options that there are not.
        """
        if self.text is not self.sbml:
            return self._in_antimony(network, self.text, self.record)
        expected = self._written(network, "sbml", self.record)
        if expected.encode() != self.text:
            found = sbml_difference.first_difference(self.text, expected.encode(), _free(network), self.path)
            if found:
                return found + _rewritten(self.text)
        if self.beside:
            found = self._in_antimony(network, self.beside, _antimony_record(self.beside, f"{self.path}: its Antimony"))
            return found and f"its Antimony: {found}"
        return ""

    def _in_antimony(self, network: ReactionNetwork, text: bytes, record: Record) -> str:
        expected, here = self._written(network, "antimony", record), text.decode(errors="replace")
        return "" if here == expected else antimony_difference.first_difference(here, expected, _free(network))

    def _written(self, network: ReactionNetwork, name: str, record: Record) -> str:
        """The file as the compiler writes it now."""
        out = io.StringIO()
        try:
            target = format_of("", name)
            target.write(network, out, target.chosen(record.options))
        except (TypeError, UsageError) as e:
            raise ProvenanceError(f"{self.path}: what it says of its format does not fit together: {e}") from None
        return out.getvalue()


def _free(network: ReactionNetwork) -> set[str]:
    """Ids of inputs, whose values do not count."""
    ids, rails = make_ids(network), Rails(network)
    species = (ids.species[s] for s in (*rails.plus.tolist(), *rails.minus.tolist()) if s >= 0)
    return {*species, *(i for names in ids.inputs for i in names)}


def read_shipped(path: str) -> Shipped:
    """Reads SBML, Antimony (both also as .gz) or a COMBINE archive, whose SBML is meant.

    Raises:
        UsageError: it cannot be read, or is none of these.
        SizeError: it is larger than memory allows.
        ProvenanceError: it does not say how it was made.
        ModelError: it is faulty.
    """
    suffix = PurePosixPath(path.removesuffix(".gz")).suffix
    if suffix not in (".xml", ".sbml", ".ant", ".omex"):
        raise UsageError(f"{path}: --file takes SBML (.xml, .sbml), Antimony (.ant) or an archive (.omex)")
    text = _contents(path)
    if suffix == ".ant":
        return Shipped(path, _antimony_record(text, path), text, _from_antimony(text, path))
    beside = b""
    if suffix == ".omex":
        text, beside = _contained(text, path)
    return Shipped(path, _record(_annotated(text, path), path), text, text, beside)


def _antimony_record(text: bytes, path: str) -> Record:
    said = next((line for line in text.decode(errors="replace").splitlines() if line.startswith(MARK)), "")
    return _record(said.removeprefix(MARK), path)


def _record(text: str, path: str) -> Record:
    if not text:
        raise ProvenanceError(
            f"{path} does not say what it was made from: there is no record of nn2crn in it",
            hint="compile it again, and verify the file before another program has rewritten it",
        )
    return read_record(text, path)


def _contents(path: str) -> bytes:
    file = Path(path)
    try:
        look_at(file)
        with gzip.open(file) if path.endswith(".gz") else file.open("rb") as stream:
            return _bounded(stream, path)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UsageError(f"cannot read {path}: it is not a gzip file, or is cut short") from None
    except OSError as e:
        raise UsageError(f"cannot read {path}: {e.strerror or e}") from None


def _bounded(stream: BinaryIO | gzip.GzipFile, path: str) -> bytes:
    data: bytes = stream.read(allowed() // _COPIES + 1)
    if len(data) > allowed() // _COPIES:
        raise SizeError(f"{path} is longer than the memory allowed", hint="give another --max-memory")
    return data


def _contained(archive: bytes, path: str) -> tuple[bytes, bytes]:
    """The first SBML file of an archive, and the first in Antimony, if there is one."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = [n for n in opened.namelist() if n != "manifest.xml"]
            found = [next((n for n in names if n.endswith(suffix)), None) for suffix in (".xml", ".ant")]
            if found[0] is None:
                raise ProvenanceError(f"{path}: there is no SBML file in the archive")
            first, second = (_member(opened, name, path) if name else b"" for name in found)
            return first, second
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise UsageError(f"cannot read {path}: it is not an archive, or is damaged") from None


def _member(opened: zipfile.ZipFile, name: str, path: str) -> bytes:
    with opened.open(name) as member:
        return _bounded(member, path)  # type: ignore[arg-type]  # it reads bytes


def _annotated(document: bytes, path: str) -> str:
    """The record in the annotation of an SBML model; empty if there is none."""
    found: list[str] = []
    inside = [False]
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, _: inside.__setitem__(0, name == _PROVENANCE)
    parser.EndElementHandler = lambda _: inside.__setitem__(0, False)
    parser.CharacterDataHandler = lambda text: found.append(text) if inside[0] else None
    parser.StartDoctypeDeclHandler = _refuse_doctype(path)
    try:
        parser.Parse(document, True)
    except expat.ExpatError as e:
        raise UsageError(f"{path}:{e.lineno}: not XML: {expat.ErrorString(e.code)}") from None
    return "".join(found)


def _refuse_doctype(path: str) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise UsageError(f"{path}: a document type, which SBML has no use for")

    return refuse


def _from_antimony(text: bytes, path: str) -> bytes:
    """The SBML that libAntimony translates it to."""
    try:
        import antimony as library
    except ImportError:
        raise UsageError("antimony is not installed", hint="pip install 'nn2crn[verify]'") from None
    library.clearPreviousLoads()
    if library.loadAntimonyString(text.decode(errors="replace")) < 0:
        raise UsageError(f"{path}: libAntimony cannot read it: {' '.join(library.getLastError().split())}")
    written: str = library.getSBMLString(library.getMainModuleName())
    return written.encode()

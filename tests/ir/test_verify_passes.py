"""What a pass breaks is found right after it, and the pass is named: faults are seeded, one at a time."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from driving import drive

import nn2crn
from nn2crn.compiler import PassPipeline, every_pass, prepare
from nn2crn.ir.families.explicit import ExplicitFamily
from nn2crn.ir.families.matrix import MatrixFamily
from nn2crn.ir.formula import Number
from nn2crn.ir.network import Activation, Affine
from nn2crn.ir.verify.invariant import VARIABLE, BrokenInvariantError, enabled
from nn2crn.ir.verify.network import verify_lowerable
from nn2crn.ir.verify.reactions import verify_drives
from nn2crn.lower.catalytic import CATALYTIC
from nn2crn.lower.verify import verify_lowered
from nn2crn.passes.records import OPTIONAL, RECORDS

TEXT = """
input x[2]
input z[1] in [0, 1]
h = relu(dense(x, weight = [[1, -2], [0.5, 1]], bias = [1, -1]) + dense(z, weight = [[1], [2]]))
g = tanh(dense(h, weight = [[1, 0.5], [-1, 0.25]]))
output y = dense(g, weight = [[1, -1]], bias = [0.5])
output h
"""


@cache
def network():
    with TemporaryDirectory() as folder:
        (Path(folder) / "net.nn").write_text(TEXT, encoding="utf-8")
        return nn2crn.load(Path(folder) / "net.nn")


@cache
def lowered():
    return CATALYTIC.lower(prepare(network(), nn2crn.Options()), nn2crn.Options())


def verify(reactions):
    verify_drives(reactions)
    verify_lowered(reactions, network(), CATALYTIC, nn2crn.Options())


def changed(thing, **fields):
    """A copy with other fields, made behind the constructor's back, as a pass with a defect may."""
    other = copy.copy(thing)
    for name in ("families", "initial", "held", "by_name", "count"):
        if name not in thing.__dataclass_fields__:
            other.__dict__.pop(name, None)
    for name, value in fields.items():
        object.__setattr__(other, name, value)
    return other


def put(items, k, item):
    return (*items[:k], item, *items[k + 1 :])


def module(net, k=0, **fields):
    return changed(net, modules=put(net.modules, k, changed(net.modules[k], **fields)))


def block(net, k, **fields):
    return changed(net, blocks=put(net.blocks, k, changed(net.blocks[k], **fields)))


def family(net, kind, k=0, **fields):
    families = net.modules[k].families
    at = next(i for i, f in enumerate(families) if isinstance(f, kind))
    return module(net, k, families=put(families, at, changed(families[at], **fields)))


def first(net, kind, k=0):
    return next(f for f in net.modules[k].families if isinstance(f, kind))


def driven(net, **fields):
    ((name, drive_),) = net.modules[0].drives.items()
    return module(net, drives={name: changed(drive_, **fields)})


def term(net, **fields):
    ((_, drive_),) = net.modules[0].drives.items()
    return driven(net, terms=put(drive_.terms, 0, changed(drive_.terms[0], **fields)))


def family_term(net, **fields):
    found = first(net, MatrixFamily)
    return family(net, MatrixFamily, term=changed(found.term, **fields))


def readout(net, **fields):
    return module(net, readout=changed(net.modules[0].readout, **fields))


def port(net, **fields):
    return changed(net, inputs=put(net.inputs, 0, changed(net.inputs[0], **fields)))


def output(net, **fields):
    return changed(net, outputs=put(net.outputs, 0, changed(net.outputs[0], **fields)))


def without(items, k):
    return (*items[:k], *items[k + 1 :])


def explicit(net):
    return first(net, ExplicitFamily)


def matrix(net):
    return first(net, MatrixFamily)


IN_REACTIONS = {
    "a driven family is dropped": lambda n: module(n, families=without(n.modules[0].families, 0)),
    "the last family is dropped": lambda n: module(n, families=n.modules[0].families[:-1]),
    "all driven families of a rail are dropped": lambda n: module(
        n, families=tuple(f for f in n.modules[0].families if not (isinstance(f, MatrixFamily) and f.rail == 1))
    ),
    "a family is there twice": lambda n: module(n, families=(*n.modules[0].families, n.modules[0].families[-1])),
    "a drive has another weight": lambda n: term(n, matrix=2.0 * n.modules[0].drives["U"].terms[0].matrix),
    "a drive has the wrong sign": lambda n: term(n, sign=-n.modules[0].drives["U"].terms[0].sign),
    "a drive lacks a term": lambda n: driven(n, terms=n.modules[0].drives["U"].terms[1:]),
    "a drive has another bias": lambda n: driven(n, bias=n.modules[0].drives["U"].bias + 1.0),
    "a drive has no number for a bias": lambda n: driven(n, bias=np.array([np.nan, 0.0])),
    "a drive reads a later layer": lambda n: term(n, sources=n.modules[1].readout.terms[0][0]),
    "a family has the wrong sign": lambda n: family_term(n, sign=-matrix(n).term.sign),
    "a family has the wrong rail": lambda n: family(n, MatrixFamily, rail=-matrix(n).rail),
    "a family has other sources": lambda n: family_term(n, sources=matrix(n).term.sources[::-1].copy()),
    "a family has other targets": lambda n: family(n, MatrixFamily, targets=matrix(n).targets[:, ::-1].copy()),
    "a constant of a driven family is negative": lambda n: family(n, MatrixFamily, constants=-matrix(n).constants),
    "a rate constant is negative": lambda n: family(n, ExplicitFamily, rates=-explicit(n).rates),
    "a rate constant is infinite": lambda n: family(n, ExplicitFamily, rates=explicit(n).rates * np.inf),
    "a rate constant is twice as large": lambda n: family(n, ExplicitFamily, rates=explicit(n).rates * 2),
    "a family names a species that is not there": lambda n: family(n, ExplicitFamily, species=explicit(n).species + 99),
    "a family changes another layer": lambda n: family(
        n, ExplicitFamily, species=np.full_like(explicit(n).species, n.modules[1].readout.terms[0][0][0])
    ),
    "a block is out of place": lambda n: block(n, 2, start=n.blocks[2].start + 1),
    "two blocks have changed places": lambda n: changed(n, blocks=(n.blocks[1], n.blocks[0], *n.blocks[2:])),
    "a block starts below zero": lambda n: block(n, 0, initial=n.blocks[0].initial - 1.0),
    "a block has the wrong role": lambda n: block(n, 0, role="hidden"),
    "two blocks have one name": lambda n: block(n, 1, rail=n.blocks[0].rail),
    "two modules have one name": lambda n: module(n, 1, name=n.modules[0].name),
    "the modules are out of order": lambda n: changed(n, modules=n.modules[::-1]),
    "a module is dropped": lambda n: changed(n, modules=n.modules[:-1]),
    "a module lacks a fixed point": lambda n: module(n, steady=n.modules[0].steady[1:]),
    "a fixed point is another": lambda n: module(n, steady=tuple((s, Number(1.0)) for s, _ in n.modules[0].steady)),
    "a module is read from another layer's species": lambda n: readout(n, terms=n.modules[1].readout.terms),
    "an output's readout is stale": lambda n: output(
        n, readout=changed(n.outputs[0].readout, constant=n.outputs[0].readout.constant + 1.0)
    ),
    "an output has another size": lambda n: output(n, shape=(7,)),
    "two outputs have one name": lambda n: output(n, name=n.outputs[1].name),
    "an input has too few values": lambda n: port(n, values=n.inputs[0].values[:1]),
    "an input has lost its negative rail": lambda n: port(n, minus=None),
    "two inputs have one name": lambda n: port(n, name=n.inputs[1].name),
}


@pytest.mark.parametrize("fault", IN_REACTIONS.values(), ids=IN_REACTIONS.keys())
def test_a_fault_in_reactions_is_found_and_the_pass_named(fault):
    def breaks(reactions):
        return fault(reactions)

    def keeps(reactions):
        return reactions

    with pytest.raises(BrokenInvariantError) as caught:
        PassPipeline().reactions((keeps, breaks), lowered(), verify)
    assert caught.value.__notes__ == ["in the pass breaks, after keeps"]


def test_no_fault_is_found_where_there_is_none():
    verify(lowered())
    nn2crn.compile(network(), steps=PassPipeline(OPTIONAL))


def node(net, kind, **fields):
    at = next(i for i, n in enumerate(net.nodes) if isinstance(n, kind))
    return changed(net, nodes=put(net.nodes, at, changed(net.nodes[at], **fields)))


IN_NETWORKS = {
    "two nodes have one name": lambda n: node(n, Affine, name=n.nodes[0].name),
    "a source comes later": lambda n: changed(n, nodes=n.nodes[::-1]),
    "a bias is not finite": lambda n: node(n, Affine, bias=np.array([np.inf, 0.0])),
    "a weight does not fit": lambda n: node(n, Affine, bias=np.zeros(5)),
    "an activation has no source": lambda n: node(n, Activation, sources=()),
    "an activation has another size": lambda n: node(n, Activation, size=7),
    "an activation's groups do not fit": lambda n: node(n, Activation, width=5),
    "an output is lost": lambda n: changed(n, outputs=n.outputs[1:]),
    "an output is read from nothing": lambda n: changed(
        n, outputs=put(n.outputs, 0, changed(n.outputs[0], source="?"))
    ),
    "an input has another shape": lambda n: changed(n, nodes=put(n.nodes, 0, changed(n.nodes[0], shape=(1, 2)))),
}


@pytest.mark.parametrize("fault", IN_NETWORKS.values(), ids=IN_NETWORKS.keys())
def test_a_fault_in_a_network_is_found_and_the_pass_named(fault):
    def breaks(net):
        return fault(net)

    with pytest.raises(BrokenInvariantError) as caught:
        PassPipeline().network((breaks,), network())
    assert caught.value.__notes__ == ["in the pass breaks"]


def test_what_cannot_be_lowered_is_found():
    prepared = prepare(network(), nn2crn.Options())
    verify_lowerable(prepared)
    for fault in (network(), node(prepared, Activation, template="")):
        with pytest.raises(BrokenInvariantError):
            verify_lowerable(fault)


def test_nothing_is_verified_unless_asked_for(monkeypatch):
    monkeypatch.delenv(VARIABLE)
    PassPipeline().reactions((IN_REACTIONS["two modules have one name"],), lowered())


def test_every_pass_is_in_the_table_with_its_law():
    assert {r.name for r in RECORDS} == set(every_pass())
    assert all(len(r.law) > 20 for r in RECORDS)


def test_help_names_the_optional_passes(tmp_path):
    said = b" ".join(drive("compile", "--help", folder=tmp_path).out.split()).decode()
    for name in OPTIONAL:
        assert name in said


def test_debug_verifies(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, "")
    (tmp_path / "net.nn").write_text("input x[1]\noutput y = relu(x)")
    drive("--debug", "compile", "net.nn", "-o", "-", folder=tmp_path)
    assert enabled()

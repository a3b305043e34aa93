"""Strands in a .pil file, read by dsdobjects and enumerated by Peppercorn, are gates of the network's reactions."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from by_hand import network_of
from nets import random_mlp
from parts import needs
from reading import probe, text

import nn2crn
from nn2crn.backends.options import PilOptions
from nn2crn.backends.registry import format_of
from nn2crn.errors import UnsupportedError, UsageError
from nn2crn.evaluate.tube.parts import parts
from nn2crn.passes.compression.options import Quantization
from nn2crn.passes.reactions.strand_displacement import Gates, strand_displacement

# They change pyparsing for everyone in their process, and warn of its new names: they get one of their own.
READER = """
import json, sys, warnings
warnings.simplefilter("ignore")
written = json.loads(sys.stdin.read())
from dsdobjects.objectio import clear_io_objects, read_pil as read, set_io_objects
set_io_objects()
found = read(written["text"])
complexes = {
    name: [c.kernel_string, list(map(str, c.sequence)), c.concentration and list(map(str, c.concentration))]
    for name, c in found["complexes"].items()
}
lengths = {name: d.length for name, d in found["domains"].items()}
reactions = []
if written["enumerate"]:
    from peppercornenumerator import Enumerator
    from peppercornenumerator.input import read_pil
    given, _ = read_pil(written["text"])
    enumerator = Enumerator(list(given.values()))
    enumerator.enumerate()
    enumerator.condense()
    kernels = {s.name: s.representative.kernel_string for s in enumerator.resting_macrostates}
    for r in enumerator.condensed_reactions:
        reactions.append([[kernels[m.name] for m in side] for side in (r.reactants, r.products)])
print(json.dumps([complexes, lengths, reactions]))
"""


def written(network, **options):
    return text(format_of("net.pil").write, network, PilOptions(**options))


def read(network, *, enumerate_=False, **options):
    """Complexes as {name: (kernel, sequence, concentration)}, lengths of domains, and reactions between complexes."""
    asked = json.dumps({"text": written(network, **options), "enumerate": enumerate_})
    done = subprocess.run([sys.executable, "-c", READER], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def fuels(complexes):
    return {name: c for name, c in complexes.items() if "-" in name}


def whole():
    network = random_mlp([2, 3, 2], seed=3).network()
    network = nn2crn.compress(network, nn2crn.Compression(quantize=Quantization.parse("linear:3:zero")))
    return nn2crn.compile(network, nn2crn.Options(encoding="rate-independent"), inputs={"x": [0.5, 1.0]})


@needs("peppercorn")
@pytest.mark.parametrize("made", ["catalytic", "rate-independent", "many kinds"])
def test_complexes_strands_and_nucleotides_are_those_that_are_counted(made, tmp_path):
    networks = {"catalytic": lambda: nn2crn.compile(random_mlp([2, 3, 2], seed=3).network()), "rate-independent": whole}
    network = networks[made]() if made in networks else probe(tmp_path)
    complexes, lengths, _ = read(network)
    strands = [s.split() for _, sequence, _ in fuels(complexes).values() for s in " ".join(sequence).split("+")]
    counted = parts(network, "soloveichik2010")
    assert (len(fuels(complexes)), len(strands)) == (counted.complexes, counted.strands)
    assert sum(lengths[d.removesuffix("*")] for strand in strands for d in strand) == counted.nucleotides


@needs("peppercorn")
@pytest.mark.parametrize("order", [0, 1, 2])
def test_peppercorn_finds_the_reactions_of_a_gate(order):
    """X + L <-> H + B, Y + H -> O, O + T -> P + Q: those of the pass that builds finite gates, and waste."""
    left = {0: "", 1: "X", 2: "X + Y"}[order]
    complexes, _, found = read(network_of(f"{left} -> P + Q"), enumerate_=True)
    kernel = {name: c[0] for name, c in complexes.items()}
    assert len(found) == {0: 2, 1: 2, 2: 4}[order]
    first = kernel[{0: "F-1", 1: "X_0", 2: "X_0"}[order]]
    (opened,) = (right for taken, right in found if sorted(taken) == sorted([first, kernel["G-1"]]))
    if order == 2:
        assert kernel["B-1"] in opened
        assert any(sorted(taken) == sorted(opened) and first in right for taken, right in found)
        (opened,) = (right for taken, right in found if kernel["Y_0"] in taken)
    (free,) = (right for taken, right in found if kernel["T-1"] in taken)
    assert set(opened) & {k for taken, _ in found if kernel["T-1"] in taken for k in taken}
    for i, name in ((1, "P_0"), (2, "Q_0")):
        assert f"d1-{i} {name}-a {name}-b {name}-c" in free


@needs("peppercorn")
@pytest.mark.parametrize(("reaction", "count"), [("2 A -> P", 4), ("2 A -> A", 149)])
def test_peppercorn_finds_more_than_a_gate_where_the_product_is_what_is_taken(reaction, count):
    """As the page on DNA says."""
    _, _, found = read(network_of(reaction), enumerate_=True)
    assert len(found) == count


@needs("peppercorn")
def test_concentrations_are_in_the_files_unit():
    network = nn2crn.compile(
        random_mlp([1, 1], seed=1, lower=0.0).network(), inputs={"x": [2.0]}, units=nn2crn.Units("nM", "h", 5.0)
    )
    assert " = x_0_s-h x_0_s-a x_0_s-b x_0_s-c @initial 10.0 nM\n" in written(network)
    complexes, _, _ = read(network, fuel=100.0)
    assert {tuple(c[2]) for c in fuels(complexes).values()} == {("initial", "100.0", "nM")}
    assert "@" not in written(network).partition("# 1:")[2]


def test_what_is_of_gates_already_has_no_strands():
    built = strand_displacement(whole(), Gates(10.0, 1e3))
    with pytest.raises(UnsupportedError, match="of the network's own reactions"):
        written(built)
    with pytest.raises(UsageError, match="there must be some"):
        PilOptions(fuel=0.0)


def test_the_text_of_one_reaction():
    assert written(network_of("X + Y -> P", rate=0.5), fuel=2.0).partition("\n\n")[2] == (
        "# 1: X_0 + Y_0 -> P_0 at 0.5\n"
        "length d1-1 = 15\n"
        "G-1 = X_0-b( X_0-c( Y_0-a( + Y_0-b( Y_0-c( d1-1 P_0-a + ) ) ) ) ) X_0-a* @initial 2.0 M\n"
        "T-1 = d1-1( P_0-a( P_0-b P_0-c + ) ) Y_0-c* @initial 2.0 M\n"
        "B-1 = X_0-b X_0-c Y_0-a @initial 2.0 M\n"
    )

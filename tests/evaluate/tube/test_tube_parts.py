"""Complexes and strands of the published schemes, against the counts that Nuskell 0.8 gives for single reactions."""

from __future__ import annotations

import pytest
from by_hand import network_of

from nn2crn.errors import UsageError
from nn2crn.evaluate.tube.parts import SCHEMES, parts, schemes

# Fuel complexes / strands of each reaction alone, by Nuskell 0.8. It is not on PyPI, so it was run by hand.
REACTIONS = ("A -> B + C", "A + B -> C", "A + B -> C + D", "A + B -> A + 2 B", "2 B -> B", "-> B", "A ->")
NUSKELL = {
    "soloveichik2010": ("2/5", "3/6", "3/7", "3/8", "3/6", "3/5", "2/3"),
    "srinivas2015": ("3/6", "3/6", "4/8", "4/9", "3/6", "3/5", "1/2"),
    "qian2011_3D": ("5/9", "5/9", "6/11", "6/12", "4/8", "3/5", "3/5"),
    "cardelli2013_2D": ("5/12", "6/15", "7/17", "7/18", "3/10", "5/11", "3/8"),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_reactions_take_what_nuskell_counts(scheme):
    found = [parts(network_of(reaction), scheme) for reaction in REACTIONS]
    assert tuple(f"{p.complexes}/{p.strands}" for p in found) == NUSKELL[scheme]


@pytest.mark.parametrize(("scheme", "both", "each"), [
    ("soloveichik2010", 5, 3),  # the strand displaced from the gate depends on the reactants alone
    ("srinivas2015", 5, 3),
    ("qian2011_3D", 8, 5),  # two recognition strands
    ("cardelli2013_2D", 12, 6),  # nothing: products differ
])  # fmt: skip
def test_complexes_that_reactions_have_in_common_are_one(scheme, both, each):
    assert parts(network_of("A + B -> C"), scheme).complexes == each
    assert parts(network_of("A + B -> C", "A + B -> D"), scheme).complexes == both


@pytest.mark.parametrize(("scheme", "complexes"), [("soloveichik2010", 4), ("srinivas2015", 3)])
def test_without_products_gates_depend_on_reactants_alone(scheme, complexes):
    """Of B a gate and a translator; of A + B a gate and a displaced strand, the translator being that of B."""
    assert parts(network_of("B ->", "A + B ->"), scheme).complexes == complexes


def test_a_reaction_and_its_reverse_are_one_where_the_scheme_says_so():
    """Figure 2 of Qian and others: two gates, two strands for each species."""
    both = parts(network_of("A + B -> C + D", "C + D -> A + B"), "qian2011_3D")
    assert (both.complexes, both.strands) == (2 + 4, 2 * 5 + 4)
    alone = parts(network_of("A + B -> C + D"), "qian2011_3D")
    assert (alone.complexes, alone.strands) == (6, 11)


def test_nucleotides_are_those_of_the_domains():
    """A -> B: a gate x y d a / y* x* a* with the toehold a*, a translator d a b c / a* d* y*; 15 and 5 nucleotides."""
    found = parts(network_of("A -> B"), "soloveichik2010")
    gate, translator = (15 + 5 + 15 + 5) + (5 + 15 + 5), (15 + 5 + 15 + 5) + (5 + 15 + 5)
    assert found.nucleotides == gate + translator


def test_schemes_by_name():
    assert schemes(None) == tuple(SCHEMES)
    assert schemes("srinivas2015") == ("srinivas2015",)
    with pytest.raises(UsageError, match="there is no scheme 'srinivas'"):
        schemes("srinivas")

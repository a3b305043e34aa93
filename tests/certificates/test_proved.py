"""No certificate is ever exceeded: random templates, right and wrong, and random networks against an adversary."""

from __future__ import annotations

import os

import numpy as np
import pytest
from adversary import violations
from effort import examples
from random_networks import random_network
from random_templates import Made, random_template
from strangers import Trusting, net

from nn2crn.certificates.certificate import Subject, certify, subject
from nn2crn.errors import Nn2crnError, TemplateError
from nn2crn.templates import Library
from nn2crn.templates.options import Options
from nn2crn.templates.parse import parse_template

pytestmark = pytest.mark.unverified
TEMPLATES = int(os.environ.get("NN2CRN_TEMPLATES", examples(25)))  # 500 in make fuzz
NETWORKS = int(os.environ.get("NN2CRN_NETWORKS", examples(12)))  # 200 there


@pytest.mark.parametrize("library", [Trusting, Library])
@pytest.mark.parametrize("seed", range(TEMPLATES))
def test_random_templates_are_certified_for_what_they_do(seed, library):
    """Whatever a template states of itself, and where a false statement is refused."""
    made = random_template(np.random.default_rng(seed))
    if made.shadows or (made.wrong and library is Library):
        with pytest.raises(TemplateError):
            compiled(made, seed, library)
        return
    try:
        found = violations(compiled(made, seed, library), seed)
    except Nn2crnError:
        return  # refused is as good as not proved
    assert found == [], made.text


def compiled(made: Made, seed: int, library: type[Library]) -> Subject:
    """One neuron of the template, by a library that looks at what the template states, or does not."""
    template = parse_template(made.text, "odd.one.act")
    own = Options(library=library((template,)))
    return subject(net(template, np.array([[1.0]]), box=BOXES[seed % len(BOXES)]), own)


@pytest.mark.slow
def test_most_random_templates_are_proved_and_some_refused():
    """So that the above is not about nothing: what is refused has a name that is taken, or states what is not so."""
    proved, refused = 0, set()
    for seed in range(30):
        made = random_template(np.random.default_rng(seed))
        try:
            proved += certify(compiled(made, seed, Trusting)).unique
            compiled(made, seed, Library)
        except TemplateError as e:
            refused |= {reason for reason in REASONS if reason in str(e)}
    assert proved >= 8
    assert refused == {*REASONS}


REASONS = ("is the name of a template of nn2crn", "not a root", "states error")
BOXES = ((-1.0, 1.0), (0.0, 2.0), (0.5, 0.5), (-3.0, -1.0), (-0.1, 0.0))


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_random_networks_are_certified_for_what_they_do(seed):
    rng = np.random.default_rng(1000 + seed)
    network, options = random_network(rng)
    try:
        found = violations(subject(network, options), seed)
    except TemplateError:
        return  # of a template that is not what it states, said by the compiler or by the certificate
    assert found == []


BOUNDED = [n for n in Library().names if n.endswith(".bounded")]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n != "sigmoid.bounded" else n for n in BOUNDED]
)
def test_bounded_variants_are_proved_to_settle_soon_in_a_wide_box(name):
    """A switch thrown by e^-Q and e^-P was given the least of each for a rate: 1e7 s, and 1e23 s in a net."""
    activation = name.split(".")[0]
    weights = np.array([[1.0, -0.5], [-0.3, 0.2]])
    network = net(Library().get(name), weights if Library().get(name).vector else weights[:1], box=(-15.0, 25.0))
    made = subject(network, Options(variants={activation: "bounded"}))
    found = certify(made, tolerance=1e-2)
    assert not found.not_proved
    assert found.settling_time is not None
    assert found.settling_time < (1e3 if activation in BRIEF else 1e5)
    assert found.error_bound["y"] is not None
    assert violations(made, 0) == []


BRIEF = ("sigmoid", "tanh", "softplus", "silu", "mish")  # the others have a kink where a neuron is slow

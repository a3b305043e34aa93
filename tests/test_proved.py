"""No certificate is ever exceeded: random templates, right and wrong, and random networks against an adversary."""

from __future__ import annotations

import os

import numpy as np
import pytest
from adversary import violations
from random_networks import random_network
from random_templates import random_template
from strangers import Trusting, given, net

from nn2crn.certify.certificate import certify, subject
from nn2crn.errors import Nn2crnError, TemplateError
from nn2crn.templates import Library
from nn2crn.templates.options import Options
from nn2crn.templates.parse import parse_template

TEMPLATES = int(os.environ.get("NN2CRN_TEMPLATES", "25"))  # 500 in make fuzz
NETWORKS = int(os.environ.get("NN2CRN_NETWORKS", "12"))  # 200 there


@pytest.mark.parametrize("library", [Trusting, Library])
@pytest.mark.parametrize("seed", range(TEMPLATES))
def test_random_templates_are_certified_for_what_they_do(seed, library):
    """Whatever a template states of itself, and where a false statement is refused."""
    text = random_template(np.random.default_rng(seed))
    try:
        made = parse_template(text, "odd.one.act")
        network = net(made, np.array([[1.0]]), box=BOXES[seed % len(BOXES)])
        given = subject(network, Options(library=library((made,))))
    except Nn2crnError:
        return  # refused is as good as not proved
    assert violations(given, seed) == [], text


def test_most_random_templates_are_proved_and_some_refused():
    """So that the above is not about nothing."""
    proved = refused = 0
    for seed in range(20):
        made = random_template(np.random.default_rng(seed))
        try:
            proved += certify(given(parse_template(made, "odd.one.act"))).unique
            given_to = Options(library=Library((parse_template(made, "odd.one.act"),)))
            subject(net(parse_template(made, "odd.one.act"), np.array([[1.0]])), given_to)
        except TemplateError:
            refused += 1
    assert proved >= 8
    assert 1 <= refused < 20


BOXES = ((-1.0, 1.0), (0.0, 2.0), (0.5, 0.5), (-3.0, -1.0), (-0.1, 0.0))


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_random_networks_are_certified_for_what_they_do(seed):
    rng = np.random.default_rng(1000 + seed)
    network, options = random_network(rng)
    try:
        given = subject(network, options)
    except Nn2crnError:
        return
    assert violations(given, seed) == []

"""What is certified of templates that are not of the package: errors that are found, not those that are stated."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from strange_templates import NET, relu

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.certificates.certificate import certify, subject
from nn2crn.engines.ports import read_outputs
from nn2crn.engines.steady_state.closed_form import fixed_point
from nn2crn.templates import Library
from nn2crn.templates.parse import parse_template
from nn2crn.tune.template_parameters import fit

ACT = Path(nn2crn.__file__).parent / "templates" / "library"


def certified(text, function="bend", settings=None, variants=None, folder=None):
    library = Library((parse_template(text, "mine.act"),))
    (folder / "net.nn").write_text(NET.format(function))
    network = nn2crn.load(folder / "net.nn", library=library)
    options = nn2crn.Options(library=library, settings=settings or {}, variants=variants or {})
    given = subject(network, options)
    found = certify(given)
    rng = np.random.default_rng(1)
    inputs = {"x": np.concatenate([rng.uniform(-1, 1, (4000, 2)), np.array([[1.0, 0.5], [0.5, -0.5], [1.0, -1.0]])])}
    ends = read_outputs(given.reactions, fixed_point(given.reactions, inputs))["y"]
    exact = forward(network, inputs, library)[network.outputs[0].source]
    return found, float(np.abs(ends - exact).max())


@pytest.mark.parametrize("error", ["error <= sqrt(h)", "error <= 1000"])
def test_an_error_is_certified_by_what_is_found_and_not_by_what_is_stated(error, tmp_path):
    """The author's number changes nothing, and is not passed off as proved."""
    found, measured = certified(relu(error=error), settings={"h": 0.5}, folder=tmp_path)
    assert measured <= found.error_bound["y"] <= 1.01 * 2 * np.sqrt(0.5)
    assert found.not_proved == ()
    assert found.provenance == {"bend.mine": f"Python, sha256 {sha256(relu(error=error).encode()).hexdigest()[:12]}"}


@pytest.mark.parametrize("h", [1e-8, 1e-2])
def test_a_variant_by_another_name_is_certified_as_the_original_is(h, tmp_path):
    mine, _ = certified(relu("relu.mine"), "relu", {"relu.h": h}, {"relu": "mine"}, tmp_path)
    theirs = certify(subject(nn2crn.load(tmp_path / "net.nn"), nn2crn.Options(settings={"relu.h": h})))
    assert mine.error_bound["y"] == pytest.approx(theirs.error_bound["y"], rel=0.02)


def test_rails_in_a_fixed_point_are_searched_as_well(tmp_path):
    text = (ACT / "relu.annihilation.act").read_text()
    text = text.replace("relu.annihilation for relu", "bend.mine for bend").replace("sqrt(min(U+, U-)/k)", "1000")
    found, measured = certified(text, settings={"bend.k": 100}, folder=tmp_path)
    assert measured <= found.error_bound["y"] < 1


def test_what_sympy_shows_to_be_exact_has_no_error(tmp_path):
    found, measured = certified(
        relu(
            function="(u + sqrt(u^2 + 4*1e-6))/2", root="(u + sqrt(u^2 + 4e-6))/2", rate="Y @ 1e-6", error="error <= 0"
        ),
        folder=tmp_path,
    )
    assert found.error_bound["y"] == 0
    assert measured < 1e-12


def test_a_root_that_jumps_to_the_other_branch_is_not_certified(tmp_path):
    """|v|/v squared is 1 to sympy, so it is a root everywhere; it is negative only from -0.001 to 0.001."""
    jumping = "(u + abs(u^2 - 1e-6)/(u^2 - 1e-6)*sqrt(u^2 + 4*h))/2"
    text = relu(root=jumping, function=jumping, error="error <= 0")
    text = text.replace("parameter h = 1e-6 in (0, 1] accuracy from 0.1 to 1e-12", "attribute h = 1")
    found, _ = certified(text, folder=tmp_path)
    assert found.not_proved == ("layer1: error <= 0, which is the word of bend.mine",)
    assert found.error_bound["y"] is None or found.error_bound["y"] > 1


def test_an_error_outside_the_stated_range_is_not_certified(tmp_path):
    text = relu().replace("[-20, 20]", "[-1, 1]")
    found, _ = certified(text, folder=tmp_path)
    assert any("leave the range of bend.mine" in reason for reason in found.not_proved)


SHARES = """template shares.mine for shares
  drive U[i]
  function = exp(u[i])/sum(exp(u[j]))
  range u in [-5, 5]
  U[i]+ -> U[i]+ + P[i] @ 1
  U[i]- -> U[i]- + P[i] @ 1
  P[i] -> 0 @ 1
  output P[i]
  fixed point P[i] = U[i]+ + U[i]-
  error <= {}
  rate >= 1
  lipschitz <= 1e-9
  values in [0, 1e-9]
  stability global
"""


def test_rules_that_a_stranger_declares_are_the_authors_word(tmp_path):
    """How errors pass through a group, and where its values lie, went by the name softmax."""
    library = Library((parse_template(SHARES.format("100"), "mine.act"),))
    text = "input x[2] in [-1, 1]\nh = shares(relu(x))\noutput y = h\n"
    (tmp_path / "net.nn").write_text(text)
    network = nn2crn.load(tmp_path / "net.nn", library=library)
    found = certify(subject(network, nn2crn.Options(library=library)))
    assert found.error_bound["y"] is None or found.error_bound["y"] > 0.4
    assert found.not_proved == ("layer2: error <= 100, which is the word of shares.mine",)


@pytest.mark.parametrize("changes", [{"error": "error <= 1000", "default": "h = 0.5"}])
def test_a_tolerance_is_certified_by_what_is_found(changes, tmp_path):
    """`compile --tolerance` printed "certified for all X" on the author's word."""
    text = relu(**changes)
    library = Library((parse_template(text, "mine.act"),))
    (tmp_path / "net.nn").write_text(NET.format("bend"))
    network = nn2crn.load(tmp_path / "net.nn", library=library)
    found = fit(network, nn2crn.Options(library=library), 1e-2)
    _, measured = certified(text, settings=found.options.layers["layer1"].settings, folder=tmp_path)
    assert measured <= found.error <= 1e-2
    assert found.options.layers["layer1"].settings["h"] <= 1e-4

"""The menu of templates: proved, measured, listed, drawn, and documented as it is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import command_line
import numpy as np
import pytest
from effort import mostly_slow

from nn2crn.catalogue.extremes import MOST, SOLVER, extremes
from nn2crn.catalogue.measure import check
from nn2crn.ir.formula import evaluate
from nn2crn.templates import Library
from nn2crn.templates.gadget import instantiate
from nn2crn.templates.proof import prove
from nn2crn.templates.template import MAXIMAL_ORDER

ROOT = Path(__file__).parents[2]
LIBRARY = Library()
WITH_REACTIONS = [n for n in LIBRARY.names if LIBRARY.get(n).compose is None]
CHAINS = [n for n in WITH_REACTIONS if any(p.name == "k" and p.whole for p in LIBRARY.get(n).parameters)]


def script():
    spec = importlib.util.spec_from_file_location("templates_document", ROOT / "docs" / "templates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = script()
TEXT = SCRIPT.DOCUMENT.read_text(encoding="utf-8")
MEASURED = SCRIPT.measured_in(TEXT)
COMPARED = SCRIPT.compared_in(TEXT)
DRIVEN = SCRIPT.driven_in(TEXT)


def far(name, group):
    """A case of the table of any drive; all but two take seconds."""
    quick = (name, group) in {("sigmoid.bounded", 1), ("softmax.bounded", 2)}
    return pytest.param(name, group, marks=[] if quick else pytest.mark.slow)


def run(*args, folder=None):
    done = command_line.nn2crn(*args, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_document_is_not_stale():
    assert sorted(MEASURED) == sorted(LIBRARY.names), "run: python docs/templates.py"
    assert sorted(COMPARED) == sorted(SCRIPT.compared_names()), "run: python docs/templates.py"
    assert sorted(DRIVEN) == sorted(SCRIPT.without_range(LIBRARY)), "run: python docs/templates.py"
    assert SCRIPT.document(LIBRARY, MEASURED, COMPARED, DRIVEN) == TEXT, "run: python docs/templates.py"


def test_what_has_no_range_costs_at_most_twice_as_much_where_it_is_the_default():
    for bounded, ranged in zip(*2 * [iter(SCRIPT.compared_names())], strict=True):
        assert int(COMPARED[bounded][2]) <= 2 * int(COMPARED[ranged][2])
        assert float(COMPARED[bounded][5]) <= 1.1e-3
        assert float(COMPARED[bounded][7]) < 110  # D of a softmax is as large as its logits are apart


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPT.compared_names())
def test_the_comparison_is_the_measured_one(name):
    again = SCRIPT.compared(name)
    assert again[:4] == COMPARED[name][:4]
    for found, documented in zip(again[4:], COMPARED[name][4:], strict=True):
        assert float(found.removesuffix(" s")) == pytest.approx(float(documented.removesuffix(" s")), rel=0.2)


def test_every_bounded_variant_is_driven_far():
    assert {n for n in LIBRARY.names if n.endswith(".bounded")} <= {name for name, _ in DRIVEN}
    assert {group for name, group in DRIVEN if name == "softmax.bounded"} == {2, 10, 100}


@pytest.mark.parametrize(("name", "group"), [far(*case) for case in SCRIPT.without_range(LIBRARY)])
def test_any_drive_from_five_starts(name, group):
    """u in [-200, 200], logits of scale 60: the error is as stated, auxiliary species stay below 2, or the group."""
    found = extremes(LIBRARY.get(name), LIBRARY, group)
    assert found.excess <= SOLVER
    assert found.auxiliary <= max(MOST, group)
    for now, documented in zip(SCRIPT.driven_row(found)[3:], DRIVEN[name, group][3:], strict=True):
        assert float(now) == pytest.approx(float(documented), rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARY.names)
def test_the_documented_figures_are_the_measured_ones(name):
    found = check(LIBRARY.get(name), LIBRARY)
    assert found.starts == 5
    assert found.holds
    stated = MEASURED[name]
    if stated.error == "exact":
        assert found.error < SCRIPT.EXACT
    elif float(stated.error) >= SCRIPT.EXACT or found.error >= SCRIPT.EXACT:
        assert float(stated.error) == pytest.approx(found.error, rel=0.1)
    # on a grid of 6 %, and rounded
    assert float(stated.settling.removesuffix(" s")) == pytest.approx(found.settling, rel=0.2)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("name", mostly_slow(CHAINS, 5))
def test_chains_of_every_short_length_are_proved_symbolically(name, k):
    gadget = instantiate(LIBRARY.get(name), {"k": k})
    assert prove(gadget).symbolic
    for r in gadget.reactions:
        assert evaluate(r.rate, {**gadget.template.attributes, **gadget.settings}) > 0
        assert sum(n for _, n in r.reactants) <= MAXIMAL_ORDER


def output(name, u, k):
    """The stated fixed point's output for drives u (..., width), beside the function and the stated bound."""
    gadget = instantiate(LIBRARY.get(name), {"k": k} if k else {})
    values = {**gadget.template.attributes, **gadget.settings}
    values |= {"u": u, "U+": np.maximum(u, 0), "U-": np.maximum(-u, 0)}
    function, bound = (evaluate(f, values) for f in (gadget.template.function, gadget.template.error))
    for species, formula in gadget.steady:
        values[species.stem] = evaluate(formula, values)
    read = sum(evaluate(c, values) * values[s.stem] for s, c in gadget.readout) + evaluate(gadget.constant, values)
    return read, function, bound


@pytest.mark.parametrize("k", range(1, 11))
@pytest.mark.parametrize("name", [n for n in CHAINS if not LIBRARY.get(n).vector])
def test_the_stated_error_of_a_chain_bounds_a_dense_sweep_and_is_no_empty_bound(name, k):
    found, function, bound = output(name, np.linspace(*LIBRARY.get(name).domain.get("u", (-60, 60)), 40001), k)
    worst = np.abs(found - function).max()
    assert 0.5 * bound < worst <= bound


@pytest.mark.parametrize(
    ("name", "k", "bound"), [("sigmoid.chain", 4, 1e-3), ("tanh.chain", 4, 1e-3), ("softplus.chain", 4, 2e-3)]
)
def test_chains_of_four_are_as_exact_as_promised(name, k, bound):
    assert LIBRARY.get(name).values({})["k"] <= k
    u = np.linspace(-8, 8, 20001)
    for length in {k, int(LIBRARY.get(name).values({})["k"])}:
        found, function, _ = output(name, u, length)
        assert np.abs(found - function).max() <= bound


def groups():
    """Ten logits in [-10, 10]: random ones, and m at one height against 10 - m at another, where softmax errs most."""
    rng = np.random.default_rng(7)
    heights = np.stack(np.meshgrid(np.linspace(-10, 10, 101), np.linspace(-10, 10, 101)), axis=-1).reshape(-1, 2)
    split = [np.repeat(heights, (m, 10 - m), axis=1) for m in range(1, 10)]
    tops = rng.choice([-10.0, 10.0], (20000, 10)) * rng.uniform(0.6, 1, (20000, 10))
    pairs = rng.uniform(-10, 10, (20000, 10))
    pairs[:, 0], pairs[:, 1] = 10, 10 - rng.uniform(0, 3, 20000)
    return np.concatenate([rng.uniform(-10, 10, (20000, 10)), tops, pairs, *split])


@pytest.mark.parametrize(("k", "bound"), [(6, 1e-2), (7, 1e-3), (3, None), (10, None)])
def test_softmax_of_ten_logits_is_as_exact_as_promised(k, bound):
    found, function, stated = output("softmax.chain", groups(), k)
    off = np.abs(found - function)
    assert np.all(off <= stated + 1e-12)
    assert 0.2 * stated.max() < off.max() <= (bound or 1)


def test_the_default_softmax_is_the_one_promised():
    assert LIBRARY.get("softmax").name == "softmax.bounded"
    assert LIBRARY.get("softmax.shifted").values({}) == {"k": 5, "h": 1e-4}


def test_the_list_shows_every_template_with_its_cost():
    head, *rows = run("templates").splitlines()
    assert head.split()[:7] == ["template", "species", "reactions", "error", "rate", "stability", "parameters"]
    assert [r.split()[0] for r in rows] == list(LIBRARY.names)
    assert any(r.split()[:4] == ["sigmoid.bounded", "*", "14", "28"] for r in rows)


def test_a_template_is_shown_with_its_odes_and_fixed_point():
    shown = run("templates", "sigmoid")
    assert "template sigmoid.bounded for sigmoid by default" in shown
    assert "d[S]/dt = A[4]*T - B[4]*S" in shown
    assert "[S] = A[4]/(A[4] + B[4])" in shown
    assert "checked symbolically" in shown


def test_a_template_is_checked_on_request():
    assert "error 1.0e-03, stated <= 1.0e-03 at most: holds" in run("templates", "relu", "--check")


@pytest.mark.parametrize(("file", "start"), [("relu.svg", b"<?xml"), ("relu.png", b"\x89PNG")])
def test_a_template_is_drawn_on_request(tmp_path, file, start):
    run("templates", "relu", "--plot", file, folder=tmp_path)
    assert (tmp_path / file).read_bytes().startswith(start)

"""Templates that are none of the package: refused where they are not what they state, and named where they are used.

Each attack here was compiled, and certified, by release 0.1.0.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import command_line
import numpy as np
import pytest
from strangers import smoothed_relu

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.certify.certificate import certify, subject
from nn2crn.errors import TemplateError
from nn2crn.ir.formula import Number
from nn2crn.simulate.closed_form import fixed_point
from nn2crn.simulate.ports import read_outputs
from nn2crn.templates import Library
from nn2crn.templates.parse import parse_template
from nn2crn.templates.registry import read_template
from nn2crn.tune.template_parameters import fit

ACT = Path(nn2crn.__file__).parent / "templates" / "library"

SWITCH = """template gate.switch for gate
  function = {function}
  range u in [0.1, 5]
  U+ + T -> U+ + S  @ 1
  U- + S -> U- + T  @ 1
  S      -> T       @ 1
  U- + T -> U- + S  @ 1
  output S
  initial S = {start}
  initial T = {start}
  fixed point S = {total}*(U+ + U-)/(1 + U+ + 2*U-)
  fixed point T = {total}*(1 + U-)/(1 + U+ + 2*U-)
  error <= 10
  rate >= 1
  stability global
"""
NET = """input x[2] in [-1, 1]
h = {}(dense(x, weight = [[1, -2], [3, 1]], bias = [0, -1]))
output y = dense(h, weight = [[1, -1]])
"""


def relu(name="bend.mine", **changes):
    text = smoothed_relu(name)
    for old, new in changes.items():
        assert FRAGMENTS[old] in text
        text = text.replace(FRAGMENTS[old], new)
    return text


FRAGMENTS = {
    "function": "max(u, 0)",
    "root": "(u + sqrt(u^2 + 4*h))/2",
    "error": "error <= sqrt(h)",
    "default": "h = 1e-6",
    "range": "  range u in [-20, 20]\n",
    "rate": "Y            @ h",
}


def compiled(text, function="bend", settings=None, folder=None):
    library = Library((parse_template(text, "mine.act"),))
    (folder / "net.nn").write_text(NET.format(function))
    network = nn2crn.load(folder / "net.nn", library=library)
    return nn2crn.compile(network, nn2crn.Options(library=library, settings=settings or {}))


def test_what_is_true_is_compiled(tmp_path):
    assert compiled(relu(), folder=tmp_path).modules[0].template == "bend.mine"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"root": "(u + sqrt(u^2 + 4*h))/3"}, r"not a root of d\[Y\]/dt"),
        ({"root": "(u - sqrt(u^2 + 4*h))/2"}, "below zero"),
        ({"error": "error <= 1e-9"}, r"states error <= 1e-09, and for u = .* it is 0\.001 off"),
        ({"error": "error <= -1"}, "that is -1, which is no bound"),
        ({"error": "error <= u/u"}, "that is nan, which is no bound"),
        ({"error": "error <= log(u)"}, "that is nan, which is no bound"),
        ({"function": "max(u, 1)"}, "states error <= sqrt"),
        ({"default": "h = 0.5", "error": "error <= 1e-9"}, "states error <= 1e-09"),
    ],
)
def test_what_is_false_is_refused(changes, message, tmp_path):
    """Also where it is parsed in Python, which proved nothing."""
    text = relu(**changes)
    with pytest.raises(TemplateError, match=message):
        compiled(text, folder=tmp_path)
    (tmp_path / "mine.act").write_text(text)
    with pytest.raises(TemplateError, match=message):
        read_template(tmp_path / "mine.act")


def test_a_bound_is_looked_at_for_the_parameters_in_use(tmp_path):
    text = relu(error="error <= 2e-3")
    assert compiled(text, folder=tmp_path)
    with pytest.raises(TemplateError, match=r"states error <= 0\.002"):
        compiled(text, settings={"h": 0.5}, folder=tmp_path)


def test_a_bound_is_looked_at_for_the_attributes_in_use(tmp_path):
    """It was looked at for those that the template states, and nodes have others."""
    text = relu(function="a*max(u, 0)", root="a*(u + sqrt(u^2 + 4*h))/2", error="error <= 2e-3")
    text = text.replace("  range", "  attribute a = 1\n  range").replace(
        "2 Y     -> Y            @ 1", "2 Y -> Y @ 1/a"
    )
    text = text.replace("@ h\n", "@ a*h\n")
    assert compiled(text, folder=tmp_path)
    library = Library((parse_template(text, "mine.act"),))
    (tmp_path / "net.nn").write_text("input x[2] in [-1, 1]\noutput y = bend(x, a = [1, 7])\n")
    with pytest.raises(TemplateError, match=r"states error <= 0\.002, and for u = .*, a = 7 it is 0\.007 off"):
        nn2crn.compile(nn2crn.load(tmp_path / "net.nn", library=library), nn2crn.Options(library=library))


FOLD = """template fold.mine for fold
  function = {function}
  attribute a = 1
  compose {compose}
  range u in [-2, 2]
  error <= {error}
"""


@pytest.mark.parametrize(
    ("function", "compose", "error", "message"),
    [
        ("tanh(u)", "relu(u)", 0.1, r"states error <= 0\.1, and for u = 2, a = 3 it is 1\.04 off"),
        ("a*max(u, 0)", "relu(u)", 1.5, r"states error <= 1\.5, and for u = 2, a = 3 it is 4 off"),
        ("tanh(u)", "tanh(u)", -1, "that is -1, which is no bound"),
    ],
)
def test_a_composition_that_is_not_what_it_states_is_refused(function, compose, error, message, tmp_path):
    """certify charged for it, and compile wrote it without a word."""
    library = Library((parse_template(FOLD.format(function=function, compose=compose, error=error), "mine.act"),))
    (tmp_path / "net.nn").write_text("input x[1] in [-1, 1]\noutput y = fold(x, a = 3)\n")
    network = nn2crn.load(tmp_path / "net.nn", library=library)
    with pytest.raises(TemplateError, match=message):
        nn2crn.compile(network, nn2crn.Options(library=library))


def test_a_fixed_point_that_holds_for_the_default_only_is_refused_for_others(tmp_path):
    text = relu(root="(u + sqrt(u^2 + 4*h))/2 + 100*(h - 1e-6)", error="error <= 1000")
    assert compiled(text, folder=tmp_path)
    with pytest.raises(TemplateError, match="not a root"):
        compiled(text, settings={"h": 0.5}, folder=tmp_path)


def test_a_chain_is_proved_at_each_length_in_use(tmp_path):
    text = relu(root="(u + sqrt(u^2 + 4*h))/2 + 100*(k - 3)", error="error <= 1000")
    text = text.replace("  range", "  parameter k = 3 in 1..9\n  range")
    assert compiled(text, folder=tmp_path)
    with pytest.raises(TemplateError, match="not a root"):
        compiled(text, settings={"bend.k": 5}, folder=tmp_path)


def test_a_root_of_the_wrong_sign_for_negative_drives_is_refused(tmp_path):
    """Drives were positive to sympy, and |u| the same as u."""
    text = relu(root="abs(u)", function="u", error="error <= 1000").replace(
        "0       -> Y            @ h\n", "U+ -> U+ + Y @ 1\n"
    )
    text = text.replace("U+ + Y  -> U+ + 2 Y     @ 1\n", "U- -> U- + Z @ 1\n").replace(
        "U- + Y  -> U-           @ 1\n", "Y -> 0 @ 1\n"
    )
    text = text.replace("2 Y     -> Y            @ 1\n", "Z -> 0 @ 1\n").replace(
        "  error", "  fixed point Z = U-\n  error"
    )
    with pytest.raises(TemplateError, match="not a root"):
        compiled(text, folder=tmp_path)


def test_a_root_with_sums_that_are_never_reached_is_refused(tmp_path):
    """S + T starts at 1 and stays there; every multiple of the fixed point is a root."""
    text = SWITCH.format(function="u/(1 + u)", start=0.5, total=1)
    assert compiled(text, "gate", folder=tmp_path)
    with pytest.raises(TemplateError, match=r"no reaction changes S \+ T - 1 from 0"):
        compiled(SWITCH.format(function="3*u/(1 + u)", start=0.5, total=3), "gate", folder=tmp_path)


def test_points_at_which_a_fixed_point_is_looked_at_cannot_be_foreseen(tmp_path):
    """They were 3/7 - 5/3 and three others, for all templates."""
    for off in (
        "(u - (3/7 - 5/3))*(u - (9/4 - 2/11))*(u - (1/3 - 1/7))*(u - (17/5 - 1/9))",
        "(U+ - 3/7)*(U+ - 9/4)*(U+ - 1/3)*(U+ - 17/5)",
    ):
        text = relu(root=f"(u + sqrt(u^2 + 4*h))/2 + {off}", error="error <= 1e9")
        with pytest.raises(TemplateError, match="not a root"):
            compiled(text, folder=tmp_path)


@pytest.mark.parametrize("name", ["relu.anderson2021", "silu.product"])
def test_the_name_of_a_template_of_the_package_is_refused(name):
    """`relu.anderson2021` with h = 0.5 and error <= 1e-9 was certified at 4.4e-09; the true error is 1.2."""
    own = parse_template(relu(name), "mine.act")
    with pytest.raises(TemplateError, match=f"{name} is the name of a template of nn2crn"):
        Library((own,))


def test_two_templates_of_one_name_are_refused():
    one, two = (parse_template(relu(default=f"h = {h}"), f"{h}.act") for h in ("1e-3", "1e-4"))
    with pytest.raises(TemplateError, match=r"1e-4\.act: bend\.mine is the name of a template of Python"):
        Library((one, two))


@pytest.mark.parametrize("function", ["2*max(u, 0)", "max(u, 0) + h", "max(0, u)"])
def test_an_activation_of_the_package_means_what_it_says(function):
    own = parse_template(
        relu("relu.mine", function=function).replace(
            "parameter h = 1e-6 in (0, 1] accuracy from 0.1 to 1e-12", "attribute h = 1e-6"
        ),
        "mine.act",
    )
    with pytest.raises(TemplateError, match=r"relu\.mine does not state the function of relu\.anderson2021") as e:
        Library((own,))
    assert e.value.hint.startswith("write: function = max(u, 0); or")


def test_an_object_that_is_not_what_its_text_says_is_refused():
    own = parse_template(relu(), "mine.act")
    for changed in (replace(own, error=Number(0.0)), replace(own, name="relu.anderson2021"), replace(own, fixed=())):
        with pytest.raises(TemplateError, match="is not what its text says"):
            Library((changed,))


def test_nothing_is_of_the_package_because_it_says_so():
    library = Library((replace(parse_template(relu(error="error <= 1e-9"), "mine.act"), origin="nn2crn"),))
    assert not library.get("bend.mine").shipped
    with pytest.raises(TemplateError, match="states error"):
        library.gadget("bend.mine", {})


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


def test_where_it_is_from_is_said(tmp_path):
    (tmp_path / "bend.mine.act").write_text(relu())
    (tmp_path / "net.nn").write_text(NET.format("bend"))
    mark = f"file bend.mine.act, sha256 {sha256(relu().encode()).hexdigest()[:12]}"
    arguments = ["net.nn", "--template", "bend.mine.act"]
    assert f"bend.mine: {mark}" in command(tmp_path, "inspect", *arguments)[1].splitlines()
    said = command(tmp_path, "certify", *arguments)[1]
    assert f"bend.mine ({mark})" in said
    assert "each of a template that nn2crn's tests prove, none in a circle, but for these, checked here:" in said
    assert command(tmp_path, "compile", *arguments, "-o", "net.xml")[0] == 0
    assert f'template="bend.mine" template-source="{mark}"' in (tmp_path / "net.xml").read_text()
    assert (tmp_path / "net.xml").read_text().count("template-source") == 1
    for file, line in {
        "net.ant": f"// template bend.mine: {mark}\n", "net.tex": rf"\texttt{{bend.mine}} ({mark}), ",
    }.items():  # fmt: skip
        assert command(tmp_path, "compile", *arguments, "-o", file)[0] == 0
        text = (tmp_path / file).read_text().replace(r"\penalty500", "").replace("{}", "")
        assert text.count(line) == 1


def installed(folder, name, files, groups=("templates",), init=""):
    """What pip would leave behind of a package with these files."""
    package = folder / "site" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(init)
    for file, text in files.items():
        (package / file).write_text(text)
    info = folder / "site" / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = "".join(f"[nn2crn.{g}]\n{name} = {name}{':it' if g == 'backends' else ''}\n" for g in groups)
    (info / "entry_points.txt").write_text(points)


def command(folder, *arguments):
    done = command_line.with_packages(folder / "site", *arguments, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_a_plugin_with_a_false_fixed_point_is_refused(tmp_path):
    """It was "an instance of a proved template, at most 0 from the network"; the true error is 3.4."""
    installed(tmp_path, "liar", {"bend.lie.act": relu("bend.lie", root="max(u, 0)", error="error <= 0")})
    (tmp_path / "net.nn").write_text(NET.format("bend"))
    for verb in (["certify"], ["compile", "-o", "net.xml"], ["inspect"]):
        status, said = command(tmp_path, verb[0], "net.nn", *verb[1:])
        assert status == 1
        assert said.startswith("nn2crn: bend.lie.act: the stated fixed point is not a root of d[Y]/dt"), said
    assert not (tmp_path / "net.xml").exists()


def test_a_template_that_is_refused_is_left_out_of_the_list(tmp_path):
    """One false statement of one package, and `nn2crn templates` listed nothing."""
    texts = {
        "bend.lie.act": relu("bend.lie", root="max(u, 0)"),
        "twist.lie.act": "template twist.lie for twist\n  function = tanh(u)\n  compose bend(u)\n  error <= 0.1\n",
        "fold.good.act": relu("fold.good"),
    }
    installed(tmp_path, "mixed", texts)
    status, said = command(tmp_path, "templates")
    assert status == 0
    assert "note: bend.lie of package mixed 1.0 is left out: bend.lie.act: the stated fixed point is not a root" in said
    assert "note: twist.lie of package mixed 1.0 is left out: " in said
    listed = {line.split()[0]: line for line in said.splitlines() if "note: " not in line}
    assert not {"bend.lie", "twist.lie"} & {*listed}
    assert "<= sqrt(h) (its author's word)" in listed["fold.good"]
    assert ">= sqrt(u^2 + 4*h) (its author's word)" in listed["fold.good"]
    assert "author" not in listed["relu.anderson2021"]


def test_a_plugin_cannot_take_a_name_or_break_what_is_there(tmp_path):
    texts = {
        "relu.anderson2021.act": relu("relu.anderson2021", default="h = 0.5"),
        "relu.twice.act": relu("relu.twice", function="2*max(u, 0)"),
        "relu.torn.act": "template relu.torn for",
        "bend.twice.act": relu("bend.twice"),
        "relu.best.act": relu("relu.best").replace("for relu", "for relu by default"),
    }
    installed(tmp_path, "one", texts)
    installed(tmp_path, "two", {"bend.twice.act": relu("bend.twice", default="h = 0.5")})
    status, said = command(tmp_path, "templates")
    assert status == 0
    for left_out in (
        "note: relu.anderson2021.act of package one 1.0 is left out: relu.anderson2021.act: relu.anderson2021 is the",
        "note: relu.twice.act of package one 1.0 is left out: relu.twice.act: relu.twice does not state the function",
        "note: relu.torn.act of package one 1.0 is left out: relu.torn.act:1:23",
        "note: bend.twice of package one 1.0 and of package two 1.0 is left out: two templates have one name",
    ):
        assert left_out in said
    listed = {line.split()[0]: line for line in said.splitlines() if "note: " not in line}
    assert not {"relu.twice", "relu.torn", "bend.twice"} & {*listed}
    assert "h = 1e-06" in listed["relu.anderson2021"]
    (tmp_path / "net.nn").write_text(NET.format("relu"))
    assert "relu (anderson2021, h = 1e-06)" in command(tmp_path, "compile", "net.nn", "-o", "net.xml")[1]


def test_a_format_that_fails_is_named(tmp_path):
    made = (
        "from nn2crn.backends.format import Format\n"
        "it = Format({}, ('.{}',), 'odd', module={})\ndef emit(*_, **__):\n    {}\n"
    )
    installed(tmp_path, "torn", {}, ["backends"], "raise RuntimeError('broken')")
    installed(tmp_path, "none", {}, ["backends"], "it = 3")
    installed(tmp_path, "taken", {}, ["backends"], made.format("'sbml'", "sb", "__name__", "pass"))
    installed(tmp_path, "fails", {}, ["backends"], made.format("'fails'", "fails", "__name__", "1/0"))
    (tmp_path / "net.nn").write_text(NET.format("relu"))
    status, said = command(tmp_path, "compile", "net.nn", "-o", "net.xml")
    assert status == 0
    assert (
        "package torn 1.0 (entry point torn = torn:it of nn2crn.backends) is left out: RuntimeError('broken')" in said
    )
    assert "package none 1.0 (entry point none = none:it of nn2crn.backends) is left out: none:it is no" in said
    assert "note: the format sbml of package taken 1.0 is left out: there is one of this name" in said
    status, said = command(tmp_path, "compile", "net.nn", "-o", "net.fails")
    assert status == 1
    assert "nn2crn: the format fails of package fails 1.0 failed: ZeroDivisionError('division by zero')" in said

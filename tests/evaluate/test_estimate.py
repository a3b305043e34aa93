"""estimate says beforehand what compiling comes to; formats lists what can be written, plug-ins too."""

from __future__ import annotations

import json

import command_line
import numpy as np
import pytest
from click.testing import CliRunner
from clients import MODELS
from effort import examples
from hypothesis import given, settings
from nets import random_mlp
from reading import networks, probe, sample

import nn2crn
from nn2crn.analysis.stoichiometry import matrices
from nn2crn.backends.registry import formats
from nn2crn.cli import cli
from nn2crn.errors import UnsupportedError
from nn2crn.evaluate import estimate as estimated

XOR = str(MODELS["xor"])
PLUGIN = """
from dataclasses import dataclass

from nn2crn.backends.format import Format, FormatOptions, option


@dataclass(frozen=True)
class Loud(FormatOptions):
    ending: str = option("what follows each line", default="", value=str)


loud = Format("loud", (".loud",), "names, shouted", Loud, module=__name__)


def emit(network, out, options):
    out.writelines(f"{label.upper()}{options.ending}\\n" for label in network.labels())
"""


def run(*arguments):
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize("name", ["iris", "xor"])
@pytest.mark.parametrize("target", formats(), ids=lambda f: f.name)
def test_bytes_of_a_small_network_are_exact(tmp_path, name, target):
    network = sample(name)
    path = tmp_path / f"net{target.suffixes[0]}"
    time = {"t_end": 1.0} if target.name == "omex" else {}
    nn2crn.write(network, path, to=target.name, **time)
    assert estimated.size(network, target) == estimated.Size(target.name, path.stat().st_size, exact=True)


@pytest.mark.parametrize("target", formats(), ids=lambda f: f.name)
@pytest.mark.parametrize("sizes", [[64, 60, 10], [20, 150, 30, 5], [1000, 1, 1000]])
def test_bytes_of_a_large_network_are_nearly_right(monkeypatch, sizes, target):
    """Large is here what has more than 3000 reactions: an archive of a third has the form of large ones, too."""
    network = nn2crn.compile(random_mlp(sizes).network())
    exact = estimated.size(network, target)
    assert exact.exact
    monkeypatch.setattr(estimated, "_EXACT", 3000)
    monkeypatch.setattr(estimated, "_SHORT", 100_000)
    assert network.reaction_count > 3000
    guess = estimated.size(network, target)
    assert guess.exact == (exact.bytes <= 100_000)
    assert guess.bytes == pytest.approx(exact.bytes, rel=0 if guess.exact else 0.15)


@settings(max_examples=examples(50), deadline=None)
@given(networks())
def test_counts_of_random_networks(network):
    found = matrices(network)
    assert estimated.non_zeros(network) == found.reactants.nnz + found.change.nnz


def test_counts(tmp_path):
    for network in (sample("iris"), sample("digits"), probe(tmp_path)):
        found = estimated.estimate(network)
        stoichiometry = matrices(network)
        assert found.species == len(network.labels())
        assert found.reactions == sum(1 for _ in network.reactions())
        assert found.non_zeros == stoichiometry.reactants.nnz + stoichiometry.change.nnz
        assert [s.format for s in found.sizes] == [f.name for f in formats()]


def test_forecasts_are_what_was_measured_and_grow_with_the_network():
    for client, points in estimated.MEASURED.items():
        for count, seconds, megabytes in points:
            load = estimated.load(client, points, count)
            assert (load.seconds, load.megabytes) == pytest.approx((seconds, megabytes))
        counts = np.geomspace(points[0][0], 100 * points[-1][0], 30)
        loads = [estimated.load(client, points, count) for count in counts]
        assert all(np.diff([load.seconds for load in loads]) > 0)
        assert all(np.diff([load.megabytes for load in loads]) > 0)


def test_the_command_prints_sizes_and_forecasts():
    done = run("estimate", XOR)
    assert done.exit_code == 0
    first, *rest = done.output.splitlines()
    assert first == f"{XOR}: 6 species, 15 reactions, 34 non-zeros, 16 products"
    assert any(line.split()[:1] == ["sbml"] for line in rest)
    assert any(line.startswith("COPASI ") for line in rest)


def test_the_command_prints_json():
    found = json.loads(run("estimate", XOR, "--json").output)
    assert (found["species"], found["reactions"]) == (6, 15)
    assert {s["format"] for s in found["sizes"]} == {f.name for f in formats()}


def test_a_network_of_too_many_reactions_is_refused():
    done = run("estimate", XOR, "--max-reactions", "14")
    assert isinstance(done.exception, UnsupportedError)
    assert "xor has 15 reactions, more than 14" in str(done.exception)
    assert run("estimate", XOR, "--max-reactions", "15").exit_code == 0


def test_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("estimate", XOR).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_formats_are_listed():
    lines = run("formats").output.split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == [f.name for f in formats()]
    assert max(map(len, lines)) <= 100
    for f in formats():
        for option in f.declared:
            assert any(f"--{option.name.replace('_', '-')}" in line for line in lines)
    listed = json.loads(run("formats", "--json").output)["formats"]
    assert [f["format"] for f in listed] == [f.name for f in formats()]
    suffixes = [s for f in listed for s in f["suffixes"]]
    assert len(set(suffixes)) == len(suffixes)


@pytest.fixture
def installed(tmp_path):
    """An environment in which a package with a format of its own is installed."""
    package = tmp_path / "site"
    (package / "loud-1.0.dist-info").mkdir(parents=True)
    (package / "loud.py").write_text(PLUGIN)
    (package / "loud-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (package / "loud-1.0.dist-info" / "entry_points.txt").write_text("[nn2crn.backends]\nloud = loud:loud\n")
    return package


def test_a_format_of_an_installed_package_is_written_listed_and_estimated(tmp_path, installed):
    def command(*arguments):
        done = command_line.with_packages(installed, *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("compile", XOR, "-o", "xor.loud", "--ending", "!")
    assert (tmp_path / "xor.loud").read_text() == "X[0]!\nX[1]!\nLAYER1[0]!\nLAYER1[1]!\nY[0]+!\nY[0]-!\n"
    assert "loud      .loud       names, shouted" in command("formats")
    sizes = {s["format"]: s["bytes"] for s in json.loads(command("estimate", XOR, "--json"))["sizes"]}
    assert sizes["loud"] == len("X[0]\nX[1]\nLAYER1[0]\nLAYER1[1]\nY[0]+\nY[0]-\n")

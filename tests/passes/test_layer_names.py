"""A layer has one name, in configurations, commands and files, whatever becomes of the others."""

from __future__ import annotations

import json
import tomllib

from driving import drive

import nn2crn
import nn2crn.compiler
from nn2crn.passes.compression.options import Pruning


def compiled(folder, *args):
    outcome = drive("compile", *args, "--name", "net", "--to", "antimony", "-o", "-", "-q", folder=folder)
    assert outcome.kind == "done", outcome.err
    return outcome.out


LAYERS = """\
input x[3] in [-1, 1]
dead = relu(x)
u = dense(x, weight = [[1.0, 2.0, 3.0], [1.0, 1.5, -1.0]])
h = silu.product(u)
g = selu.elu(dense(h, weight = [[1.0, 2.0], [0.5, 0.25]]))
b = dense(g, weight = [[1.0, 2.0]])
k = relu(dense(b, weight = [[1.0], [2.0], [3.0]]))
output y = dense(k, weight = [[1.0, -2.0, 0.5]])
"""


def test_a_layer_has_one_name_in_configurations_commands_and_files(tmp_path):
    """`config` called a layer h, and its sigmoid h/sigmoid0, that inspect, verify and the files call layer1."""
    (tmp_path / "net.nn").write_text(LAYERS)
    listed = tomllib.loads(drive("config", "net.nn", folder=tmp_path).out.decode())
    inspected = json.loads(drive("inspect", "net.nn", "--json", folder=tmp_path).out)
    modules = {layer["name"] for layer in inspected["layers"]}
    verified = drive("verify", "net.nn", "--layerwise", "--json", "--engine", "fixed-point", folder=tmp_path).out
    assert [layer["name"] for layer in json.loads(verified)["layers"]] == [n["name"] for n in inspected["layers"]]
    compositions = {"layer1", "layer2", "layer2.elu"}
    linear = {"layer1.identity", "layer3", "y"}  # templates.identity is for these
    assert set(listed["layers"]) == (modules | compositions) - linear
    assert set(listed["weights"]) == {"layer1", "layer2", "layer3", "layer4", "y"}
    network = nn2crn.compile(nn2crn.load(tmp_path / "net.nn"))
    assert {b.name.split(".")[0] for b in network.blocks} == {*listed["weights"], "x"}


def test_what_config_writes_of_compositions_within_compositions_is_taken(tmp_path):
    """`config` listed 'g/elu0', and --config said that there is no such layer."""
    (tmp_path / "net.nn").write_text(LAYERS)
    said = drive("config", "net.nn", folder=tmp_path).out
    (tmp_path / "net.toml").write_bytes(said)
    assert compiled(tmp_path, "net.nn", "--config", "net.toml") == compiled(tmp_path, "net.nn")
    (tmp_path / "net.toml").write_bytes(said.replace(b'sigmoid.chain"\nk = 4', b'sigmoid.chain"\nk = 5'))
    found = drive("inspect", "net.nn", "--config", "net.toml", "--json", folder=tmp_path).out
    layers = {layer["name"]: layer["parameters"] for layer in json.loads(found)["layers"]}
    assert layers["layer1.sigmoid"] == {"k": 5}


def test_the_name_of_a_layer_does_not_depend_on_the_templates_before_it(tmp_path):
    """A drive that two parts shared, which depends on what they are composed of, was counted as a layer."""
    weight = [[1.0, 2.0, 3.0, -1.0, 0.5, 0.25]]
    (tmp_path / "net.nn").write_text(
        f"input x[6] in [-1, 1]\nu = dense(x, weight = {weight})\ng = gelu(u)\nf = tanh(u)\n"
        "output a = tanh(g)\noutput b = relu(f)\n"
    )
    network = nn2crn.load(tmp_path / "net.nn")
    for variant in ("sigmoid", "tanh"):
        modules = nn2crn.compile(network, nn2crn.Options(variants={"gelu": variant})).modules
        assert [m.name for m in modules if m.node in ("a", "b", "f")] == ["layer3", "layer4", "layer5"]


def test_what_pruning_leaves_keeps_its_name(tmp_path):
    """A layer that is pruned away entirely does not rename those after it."""
    (tmp_path / "net.nn").write_text(
        "input x[2] in [-1, 1]\nh = relu(x)\ng = relu(dense(x, weight = [[1.0, 2.0], [3.0, -1.0]]))\n"
        "output y = dense(h, weight = [[0.1, 0.2]]) + dense(g, weight = [[8.0, 9.0]])\n"
    )
    network = nn2crn.load(tmp_path / "net.nn")
    small = nn2crn.compiler.compress(network, nn2crn.compiler.Compression(prune=Pruning.parse("magnitude:0.25")))
    assert [m.name for m in nn2crn.compile(small).modules] == ["layer2", "y"]

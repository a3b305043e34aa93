"""Layers for PyTorch: the chemistry's steady state, its gradients, and the same templates read back."""

from __future__ import annotations

import numpy as np
import pytest
from parts import load, needs

torch = load("torch")

import nn2crn  # noqa: E402  # after what it needs
from nn2crn.engines.ports import read_outputs  # noqa: E402
from nn2crn.engines.steady_state.closed_form import fixed_point  # noqa: E402
from nn2crn.errors import UsageError  # noqa: E402
from nn2crn.torch import Annihilation, Settled, SmoothedReLU, Template, export  # noqa: E402
from nn2crn.training.equilibrium.propagation import Weights, gradient  # noqa: E402

ALONE = ["sigmoid.bounded", "sigmoid.chain", "sigmoid.algebraic", "tanh.bounded", "tanh.chain", "softplus.chain",
         "softmax.chain", "exp.chain"]  # fmt: skip


def doubles(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def settled(network, x):
    reactions = nn2crn.compile(network)
    found = read_outputs(reactions, fixed_point(reactions, {network.inputs[0].name: x}))
    return next(iter(found.values()))


@pytest.mark.parametrize("name", ALONE)
def test_a_template_is_what_its_chemistry_settles_to_and_has_its_gradient(name, tmp_path):
    layer = Template(name)
    u = doubles(5, 4)
    activation = name.split(".")[0]
    width = ", width = 4" if activation == "softmax" else ""
    (tmp_path / "n.nn").write_text(f"input x[4]\noutput y = {name}(x{width})\n")
    found = settled(nn2crn.load(tmp_path / "n.nn"), u.numpy())
    np.testing.assert_allclose(layer(u).numpy(), found, rtol=1e-9, atol=1e-9)
    assert torch.autograd.gradcheck(layer, u.clone().requires_grad_(), atol=1e-6)


def test_what_depends_on_rails_or_has_no_reactions_is_refused():
    with pytest.raises(UsageError, match="depends on both rails"):
        Template("relu.annihilation")
    with pytest.raises(UsageError, match="is a composition"):
        Template("silu.product")
    with pytest.raises(UsageError, match=r"outside \(0, 1\]"):
        SmoothedReLU(h=2)


def test_gradients_are_those_of_the_chemistry():
    """By each weight: what nn2crn.sensitivities says of the rate constant it becomes."""
    weight, bias, x = doubles(3, 2), doubles(3, seed=1), torch.tensor([[0.4, 0.9]], dtype=torch.float64)
    weight.requires_grad_()
    y = SmoothedReLU(h=0.01)(x @ weight.T + bias)
    (by_weight,) = torch.autograd.grad(y.sum(), weight)
    nodes = (
        nn2crn.ir.network.Input("x", (2,), np.zeros(2), None),
        nn2crn.ir.network.Affine("u", (nn2crn.ir.network.Term("x", weight.detach().numpy()),), bias.numpy()),
        nn2crn.ir.network.Activation("y", "smoothed_relu", ("u",), 3, {"h": np.float64(0.01)}),
    )
    network = nn2crn.ir.network.Network("n", nodes, (nn2crn.ir.network.Output("y", "y", (3,)),))
    found = nn2crn.sensitivities(nn2crn.compile(network), {"x": x[0].numpy()})
    np.testing.assert_allclose(found.outputs, y.detach().numpy()[0], atol=1e-9)
    signs = np.sign(weight.detach().numpy())
    checked = 0
    for k, (i, j) in enumerate(found.weights.T.tolist()):
        if i >= 0:
            assert found.by_rate[:, k].sum() * signs[i, j] == pytest.approx(float(by_weight[i, j]), abs=1e-6)
            checked += 1
    assert checked == 6


def test_annihilation_takes_the_rails_of_its_layer():
    linear = torch.nn.Linear(3, 4).double()
    layer, x = Annihilation(linear, 50.0), doubles(6, 3)
    w, b = (p.detach().numpy() for p in (linear.weight, linear.bias))
    nodes = (
        nn2crn.ir.network.Input("x", (3,)),
        nn2crn.ir.network.Affine("u", (nn2crn.ir.network.Term("x", w),), b),
        nn2crn.ir.network.Activation("y", "relu", ("u",), 4, template="relu.annihilation", settings={"k": 50.0}),
    )
    network = nn2crn.ir.network.Network("n", nodes, (nn2crn.ir.network.Output("y", "y", (4,)),))
    np.testing.assert_allclose(layer(x).detach().numpy(), settled(network, x.numpy()), atol=1e-9)


def test_the_implicit_layer_has_the_exact_gradient():
    torch.manual_seed(0)
    layer = Settled(3, 5, bound=0.8).double()
    x = torch.rand(4, 3, dtype=torch.float64)
    wanted = torch.rand(4, 2, dtype=torch.float64)
    w = layer.matrix().detach().requires_grad_()
    layer.matrix = lambda: w  # its own gradient is that of a scaling
    loss = ((layer(x)[:, -2:] - wanted) ** 2).sum() / 8
    loss.backward()
    weights = Weights(*(p.detach().numpy() for p in (w, layer.v, layer.b)))
    exact = gradient(weights, x.numpy(), wanted.numpy(), 0.01)
    for found, true in zip((w.grad, layer.v.grad, layer.b.grad), exact.every, strict=True):
        np.testing.assert_allclose(found.numpy(), -true, atol=1e-6)
    layer.b.grad = None
    step = 1e-5
    losses = []
    for sign in (1, -1):
        with torch.no_grad():
            layer.b[1] += sign * step
            losses.append(float(((layer(x)[:, -2:] - wanted) ** 2).sum() / 8))
            layer.b[1] -= sign * step
    assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(-exact.b[1], abs=1e-6)


def test_a_learned_h_is_trained():
    layer = SmoothedReLU(4, h=0.02, learned=True)
    assert torch.allclose(torch.exp(layer.log_h), torch.full((4,), 0.02))
    layer(torch.zeros(2, 4)).sum().backward()
    assert (layer.log_h.grad > 0).all()
    assert not list(SmoothedReLU(4).parameters())


@needs("exporters")
@pytest.mark.slow  # the exporter takes ten seconds to import
def test_a_model_compiles_from_memory_and_from_its_file_to_the_same_templates(tmp_path):
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 5), SmoothedReLU(5, h=0.02, learned=True), torch.nn.Linear(5, 4),
        Template("sigmoid.bounded", k=6), Annihilation(torch.nn.Linear(4, 4), 1e5), torch.nn.Linear(4, 2),
    )  # fmt: skip
    with torch.no_grad():
        model[1].log_h += torch.linspace(-1, 1, 5)
    x = torch.randn(6, 3)
    network = nn2crn.load(model, torch.zeros(1, 3))
    export(model, torch.zeros(1, 3), tmp_path / "m.onnx")
    read = nn2crn.load(tmp_path / "m.onnx")
    expected = model(x).detach().numpy()
    for net in (network, read):
        chosen = [m.template for m in nn2crn.compile(net).modules]
        assert chosen == ["smoothed_relu.anderson2021", "sigmoid.bounded", "relu.annihilation", "identity.dual_rail"]
        settings = {n.function: dict(n.settings) for n in net.activations() if n.template}
        assert settings == {"sigmoid": {"k": 6.0}, "relu": {"k": 1e5}}
        np.testing.assert_allclose(settled(net, x.numpy()), expected, atol=1e-4)

"""Train nets of ternary weights for rate-independent chemistry: digits 64-32-10 and irises 4-3-3; write them as .nn.

The forward pass has weights of -a, 0 and a, one a in each layer; gradients go straight through to the real weights
(straight-through estimator: Bengio, Leonard, Courville 2013, arXiv:1308.3432; ternary: Li, Zhang, Liu 2016,
arXiv:1605.04711). Made with PyTorch 2.13.0, scikit-learn 1.9.1 and numpy 2.4.6.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split

from nn2crn.compiler import convert
from nn2crn.ir.network import Activation, Affine, Input, Network, Output, Term

HERE = Path(__file__).resolve().parent
THRESHOLD = 0.7  # of the mean magnitude of a layer: smaller weights are zero
SEEDS = 20
LEAST = (0.94, 0.96)  # accuracy of digits, and of irises


def ternary(weight: torch.Tensor) -> torch.Tensor:
    """-a, 0 or a for each weight, with the gradient of the weight itself."""
    kept = (weight.abs() > THRESHOLD * weight.abs().mean()).float()
    scale = (weight.abs() * kept).sum() / kept.sum()
    return weight + (scale * torch.sign(weight) * kept - weight).detach()


class Net(torch.nn.Module):
    """A ReLU between two layers of ternary weights."""

    def __init__(self, sizes: tuple[int, int, int]) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(a, b) for a, b in pairwise(sizes)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = self.layers
        hidden = torch.relu(torch.nn.functional.linear(x, ternary(first.weight), first.bias))
        return torch.nn.functional.linear(hidden, ternary(second.weight), second.bias)


def trained(sizes: tuple[int, int, int], x: np.ndarray, label: np.ndarray, epochs: int, seed: int) -> Net:
    """A net that is trained on all samples at once."""
    torch.manual_seed(seed)
    net = Net(sizes)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    centre = x.mean(axis=0)
    inputs, classes = torch.tensor(x - centre, dtype=torch.float32), torch.tensor(label)
    for _ in range(epochs):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), classes).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():  # what was taken off the inputs goes into the biases
        net.layers[0].bias -= ternary(net.layers[0].weight) @ torch.tensor(centre, dtype=torch.float32)
    return net


def accuracy(net: Net, x: np.ndarray, label: np.ndarray) -> float:
    """The share of samples that get their label."""
    with torch.no_grad():
        found = net(torch.tensor(x, dtype=torch.float32)).argmax(dim=1).numpy()
    return float(np.mean(found == label))


def network(net: Net, name: str, high: float) -> Network:
    """The net as it is computed, its inputs between zero and `high`; rounded, so that it is short to read."""
    nodes, last = [Input("x", (net.layers[0].in_features,), 0.0, high)], "x"
    for k, layer in enumerate(net.layers):
        weight = ternary(layer.weight).detach().double().numpy()
        step = float(f"{np.abs(weight).max():.4g}")
        target = f"u{k}" if k == 0 else "y"
        bias = layer.bias.detach().double().numpy().round(3)
        nodes.append(Affine(target, (Term(last, np.sign(weight) * step),), bias))
        if k == 0:
            last = "h"
            nodes.append(Activation(last, "relu", ("u0",), layer.out_features))
    return Network(name, tuple(nodes), (Output("y", "y", (net.layers[-1].out_features,)),))


def main() -> None:
    """Train both, measure, and only then write the files."""
    torch.set_num_threads(1)
    digits = load_digits()
    x, x_test, label, label_test = train_test_split(
        digits.data / 16, digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )
    net = trained((64, 32, 10), x, label, 1000, seed=0)
    share = accuracy(net, x_test, label_test)
    irises = load_iris()
    tried = (trained((4, 3, 3), irises.data, irises.target, 1500, seed) for seed in range(SEEDS))
    small = max(tried, key=lambda n: accuracy(n, irises.data, irises.target))
    right = accuracy(small, irises.data, irises.target)
    print(f"digits_ternary: accuracy {share:.1%} on {len(x_test)} test samples; iris_ternary: {right:.1%} of 150")
    if share < LEAST[0] or right < LEAST[1]:
        raise SystemExit("not as good as they were; nothing written")
    convert(network(net, "digits_ternary", 1.0), HERE / "digits" / "digits_ternary.nn")
    convert(network(small, "iris_ternary", 10.0), HERE / "iris" / "iris_ternary.nn")


if __name__ == "__main__":
    main()

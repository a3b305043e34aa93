"""Train a regressor of sin(x) for x in [0, 2 pi]: 1 input, 16 and 16 ReLUs, 1 output; write sine.onnx.

The network takes x in radians and gives sin(x); outside the interval it means nothing.
Made with torch 2.13.0, onnxscript 0.7.2, onnx 1.23.2, onnxruntime 1.31.1 and numpy 2.4.6.
"""

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent
STEPS = 20_000
DEVIATION = 0.02  # from sin(x)
ROUNDING = 1e-5  # between ONNX Runtime and PyTorch


def train(x: torch.Tensor) -> nn.Module:
    """A network that has learnt the sine at the points x (n, 1); the same one every time."""
    torch.manual_seed(2)
    torch.set_num_threads(1)  # sums in a fixed order
    torch.use_deterministic_algorithms(mode=True)
    network = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        nn.functional.mse_loss(network(x), torch.sin(x)).backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def export(network: nn.Module) -> onnx.ModelProto:
    """The network in ONNX: any batch size, the weights inside, and no trace of the machine that made it."""
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        network,
        (torch.zeros(2, 1),),
        input_names=["x"],
        output_names=["y"],
        dynamic_shapes=({0: batch},),
        verbose=False,
    )
    model = program.model_proto
    # The exporter notes the stack trace behind each node, with the paths of the files it went through.
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


def main() -> None:
    """Train, compare ONNX Runtime with PyTorch, and only then write the file beside this script."""
    network = train(torch.linspace(0, 2 * math.pi, 501).unsqueeze(1))
    model = export(network)
    onnx.checker.check_model(model, full_check=True)

    x = torch.linspace(0, 2 * math.pi, 10_001).unsqueeze(1)  # finer than what it learnt from
    with torch.no_grad():
        y = network(x).numpy()
    worst = np.abs(y - np.sin(x.numpy())).max()
    session = onnxruntime.InferenceSession(model.SerializeToString())
    error = np.abs(session.run(["y"], {"x": x.numpy()})[0] - y).max()
    print(f"sine: within {worst:.4f} of sin(x) on [0, 2 pi], ONNX Runtime within {error:.1e}")
    if worst > DEVIATION or error > ROUNDING:
        raise SystemExit("sine: not as good as it was; nothing written")
    onnx.save(model, FOLDER / "sine.onnx")


if __name__ == "__main__":
    main()

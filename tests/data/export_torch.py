"""Export small PyTorch nets by both of torch.onnx.export's paths; write torch/*.onnx and torch/expected.npz.

Each net is Linear(3, 6), an activation, Linear(6, 4). A file is named `<net>_<path>.onnx`, the path being `dynamo` (its
batch axis open) or `torchscript` (its batch fixed at one); where older opsets are written as other operators,
`<net>_<path>_opset<n>.onnx` has those. expected.npz has 8 inputs `x` (8, 3) and, by net, what PyTorch computes of them
in double precision (8, 4).

To run it: `python -m venv torchenv && torchenv/bin/pip install torch==2.13.0 onnx onnxscript`, then
`torchenv/bin/python tests/data/export_torch.py`. Running it again gives the same bytes. The tests need none of this.
Made with Python 3.11.7, torch 2.13.0+cpu, onnx 1.23.2, onnxscript 0.7.2, onnx-ir 1.1.0 and numpy 2.4.6.
"""

import io
import warnings
import zlib
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

FOLDER = Path(__file__).resolve().parent / "torch"
PATHS = ("dynamo", "torchscript")
ROUNDING = 1e-5  # between the file, in single precision, and PyTorch in double

# The activation of each net, and the largest |drive| of its hidden layer over the inputs.
NETS = {
    "relu": (nn.ReLU(), 7.5),
    "leaky_relu": (nn.LeakyReLU(0.1), 7.5),
    "prelu": (nn.PReLU(6), 7.5),
    "prelu_single": (nn.PReLU(), 7.5),
    "elu": (nn.ELU(), 7.5),
    "elu_alpha": (nn.ELU(0.5), 7.5),
    "selu": (nn.SELU(), 7.5),
    "celu": (nn.CELU(), 7.5),
    "celu_alpha": (nn.CELU(0.5), 5.5),
    "softplus": (nn.Softplus(), 7.5),
    "softplus_beta": (nn.Softplus(beta=2), 3.75),
    "silu": (nn.SiLU(), 7.5),
    "gelu": (nn.GELU(), 3.75),
    "gelu_tanh": (nn.GELU(approximate="tanh"), 3.75),
    "sigmoid": (nn.Sigmoid(), 7.5),
    "tanh": (nn.Tanh(), 7.5),
    "hardsigmoid": (nn.Hardsigmoid(), 7.5),
    "hardswish": (nn.Hardswish(), 7.5),
    "hardtanh": (nn.Hardtanh(), 7.5),
    "hardtanh_custom": (nn.Hardtanh(-0.5, 2.0), 7.5),
    "relu6": (nn.ReLU6(), 7.5),
    "softmax": (nn.Softmax(dim=1), 7.5),
    "mish": (nn.Mish(), 7.5),
}
SLOPES = (0.25, 0.1, 0.5, -0.25, 1.25, 0.0)  # of the PReLU with one slope per neuron; training may give any
OLDER_OPSETS = (
    ("gelu", "dynamo", 18),
    ("gelu", "torchscript", 17),
    ("gelu_tanh", "dynamo", 18),
    ("gelu_tanh", "torchscript", 17),
    ("hardswish", "torchscript", 13),
    ("hardtanh_custom", "torchscript", 10),
)


def make_net(name: str, x: np.ndarray) -> nn.Sequential:
    """The net, its weights a function of its name, its hidden layer scaled to the largest |drive| that NETS states."""
    activation, reach = NETS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    w1, b1, w2, b2 = (rng.normal(size=size) for size in ((6, 3), 6, (4, 6), 4))
    scale = reach / np.abs(x @ w1.T + b1).max()
    net = nn.Sequential(nn.Linear(3, 6), activation, nn.Linear(6, 4)).eval()
    with torch.no_grad():
        values = (w1 * scale, b1 * scale, w2 / 2, b2 / 2)
        for parameter, value in zip([*net[0].parameters(), *net[2].parameters()], values, strict=True):
            parameter.copy_(torch.from_numpy(value))
        if name == "prelu":
            activation.weight.copy_(torch.tensor(SLOPES))
    return net


def export(net: nn.Sequential, path: str, opset: int | None) -> onnx.ModelProto:
    """The net as one of the paths writes it, at an opset or at the path's own default."""
    if path == "dynamo":
        batch = torch.export.Dim("batch")
        kwargs = {"dynamo": True, "dynamic_shapes": ({0: batch},), "verbose": False}
        return stripped(torch.onnx.export(net, (torch.zeros(2, 3),), **names(opset), **kwargs).model_proto)
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # the path itself is deprecated
        torch.onnx.export(net, (torch.zeros(1, 3),), file, dynamo=False, **names(opset))
    return stripped(onnx.load_from_string(file.getvalue()))


def names(opset: int | None) -> dict[str, object]:
    """The arguments that both paths share."""
    return {"input_names": ["x"], "output_names": ["y"], "opset_version": opset}


def stripped(message: onnx.ModelProto) -> onnx.ModelProto:
    """The message, emptied of stack traces and other remarks, at all depths."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.message_type:
            for part in [value] if hasattr(value, "ListFields") else value:
                stripped(part)
    return message


def check(model: onnx.ModelProto, x: np.ndarray, expected: np.ndarray) -> None:
    """Refuses a file that is invalid, names a file of this computer, or computes something else than PyTorch."""
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString()
    if b"site-packages" in data or str(Path.home()).encode() in data or b".py" in data:
        raise SystemExit("a path of this computer is in the file")
    run = ReferenceEvaluator(model).run
    y = np.vstack([run(None, {"x": row[None].astype(np.float32)})[0] for row in x])
    if not np.allclose(y, expected, rtol=ROUNDING, atol=ROUNDING):
        raise SystemExit(f"off by {np.abs(y - expected).max():.1e}")


def main() -> None:
    """Export every net, check it, and only then write it."""
    x = np.random.default_rng(0).uniform(-2, 2, (8, 3))
    nets = {name: make_net(name, x) for name in NETS}
    jobs = [(name, path, None) for name in NETS for path in PATHS] + list(OLDER_OPSETS)
    models = {}
    for name, path, opset in jobs:
        models[f"{name}_{path}" + (f"_opset{opset}" if opset else "")] = name, export(nets[name], path, opset)
    with torch.no_grad():
        expected = {name: net.double()(torch.from_numpy(x)).numpy() for name, net in nets.items()}
    for name, model in models.values():
        check(model, x, expected[name])
    FOLDER.mkdir(exist_ok=True)
    for stem, (_, model) in models.items():
        (FOLDER / f"{stem}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    np.savez_compressed(FOLDER / "expected.npz", x=x, **expected)
    print(f"{len(models)} files written to {FOLDER}")  # noqa: T201  # a script prints


if __name__ == "__main__":
    main()

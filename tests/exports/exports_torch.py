"""Sixty small PyTorch modules, each with the shape of one sample, for both of torch.onnx.export's paths."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

PATHS = ("torchscript", "dynamo")


class Function(nn.Module):
    """A module of a function, with the modules that it calls."""

    def __init__(self, function, *parts):
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, x):
        return self.function(x, *self.parts)


class LoRA(nn.Module):
    """A linear layer and a low-rank change of its weights."""

    def __init__(self):
        super().__init__()
        self.linear, self.a, self.b = nn.Linear(4, 3), nn.Parameter(torch.randn(2, 4)), nn.Parameter(torch.randn(3, 2))

    def forward(self, x):
        return functional.linear(x, self.linear.weight + 0.5 * self.b @ self.a, self.linear.bias)


class Quantised(nn.Module):
    """Weights of a few levels: ternary, or rounded to multiples of a step."""

    def __init__(self, levels):
        super().__init__()
        self.linear, self.levels = nn.Linear(4, 3), levels

    def forward(self, x):
        w = self.linear.weight
        rounded = (
            torch.sign(w) * (w.abs() > 0.2).to(w.dtype) * 0.3 if self.levels == 3 else torch.round(w / 0.05) * 0.05
        )
        return functional.linear(x, rounded, self.linear.bias)


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)
        self.register_buffer("mask", torch.rand(3, 4) > 0.5)

    def forward(self, x):
        return functional.linear(x, self.linear.weight * self.mask.to(x.dtype), self.linear.bias)


class Smooth(nn.Module):
    """A smoothed ReLU whose h is learned for each neuron."""

    def __init__(self):
        super().__init__()
        self.linear, self.h = nn.Linear(4, 3), nn.Parameter(torch.rand(3) + 0.1)

    def forward(self, x):
        u = self.linear(x)
        return (u + torch.sqrt(u * u + 4 * self.h)) / 2


class Unrolled(nn.Module):
    """A recurrent cell, three steps."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, x):
        h = torch.zeros(x.shape[0], 3, dtype=x.dtype)
        for i in range(3):
            h = self.cell(x[:, i], h)
        return h


def mlp(activation):
    return nn.Sequential(nn.Linear(4, 6), activation, nn.Linear(6, 3))


def on_image(*layers):
    return nn.Sequential(nn.Conv2d(2, 3, 3), *layers)


ACTIVATIONS = {
    "relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(0.2), "prelu": nn.PReLU(6), "rrelu": nn.RReLU(), "elu": nn.ELU(0.7),
    "selu": nn.SELU(), "celu": nn.CELU(0.5), "gelu": nn.GELU(), "gelu_tanh": nn.GELU("tanh"), "silu": nn.SiLU(),
    "mish": nn.Mish(), "softplus": nn.Softplus(2), "softsign": nn.Softsign(), "tanhshrink": nn.Tanhshrink(),
    "softshrink": nn.Softshrink(), "hardshrink": nn.Hardshrink(), "threshold": nn.Threshold(0.1, 0.5),
    "hardtanh": nn.Hardtanh(-0.5, 0.8), "relu6": nn.ReLU6(), "hardsigmoid": nn.Hardsigmoid(),
    "hardswish": nn.Hardswish(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "logsigmoid": nn.LogSigmoid(),
    "softmax": nn.Softmax(-1), "softmin": nn.Softmin(-1), "glu": nn.Sequential(nn.GLU(), nn.Linear(3, 6)),
    "layer_norm": nn.LayerNorm(6), "batch_norm": nn.BatchNorm1d(6), "group_norm": nn.GroupNorm(2, 6),
    "dropout": nn.Dropout(0.5), "identity": nn.Identity(),
}  # fmt: skip
NETS = {name: (mlp(activation), (4,)) for name, activation in ACTIVATIONS.items()} | {
    "log_softmax": (nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(-1)), (4,)),
    "lora": (LoRA(), (4,)),
    "ternary": (Quantised(3), (4,)),
    "rounded": (Quantised(20), (4,)),
    "masked": (Masked(), (4,)),
    "smooth": (Smooth(), (4,)),
    "weight_norm": (parametrizations.weight_norm(nn.Linear(4, 3)), (4,)),
    "rnn_cell": (Unrolled(nn.RNNCell(2, 3)), (3, 2)),
    "gru_cell": (Unrolled(nn.GRUCell(2, 3)), (3, 2)),
    "bilinear": (Function(lambda x, layer: layer(x[:, :2], x[:, 2:]), nn.Bilinear(2, 2, 3)), (4,)),
    "normalize": (Function(lambda x, layer: functional.normalize(layer(x)), nn.Linear(4, 3)), (4,)),
    "columns": (Function(lambda x, layer: layer(x[:, [0, 2]]), nn.Linear(2, 3)), (4,)),
    "where": (Function(lambda x: torch.where(x > 0, x, 0.1 * x)), (4,)),
    "assigned": (Function(lambda x: torch.cat([x[:, :1] * 2, x[:, 1:]], 1)), (4,)),
    "conv1d": (nn.Sequential(nn.Conv1d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(15, 2)), (2, 5)),
    "conv2d": (on_image(nn.ReLU(), nn.Flatten()), (2, 5, 5)),
    "depthwise": (nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), (2, 5, 5)),
    "dilated": (nn.Conv2d(2, 2, 2, dilation=2, padding="same"), (2, 5, 5)),
    "reflecting": (nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), (2, 5, 5)),
    "conv_transpose": (nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 3, 3)),
    "max_pool": (on_image(nn.MaxPool2d(2, stride=2, padding=1, ceil_mode=True)), (2, 6, 6)),
    "avg_pool": (nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (2, 6, 6)),
    "adaptive_avg": (nn.AdaptiveAvgPool2d(2), (2, 6, 6)),
    "adaptive_max": (nn.AdaptiveMaxPool2d(2), (2, 6, 6)),
    "lp_pool": (nn.LPPool2d(2, 2), (2, 4, 4)),
    "instance_norm": (on_image(nn.InstanceNorm2d(3, affine=True)), (2, 5, 5)),
    "upsample": (nn.Upsample(scale_factor=1.5, mode="bilinear", align_corners=True), (1, 3, 3)),
    "upsample_nearest": (nn.Upsample(scale_factor=2.5), (1, 3, 3)),
    "upsample_bicubic": (nn.Upsample(size=(5, 4), mode="bicubic"), (1, 3, 3)),
    "pixel_shuffle": (nn.PixelShuffle(2), (4, 2, 2)),
    "pixel_unshuffle": (nn.PixelUnshuffle(2), (1, 4, 4)),
    "zero_pad": (nn.ConstantPad2d(1, 0.5), (2, 3, 3)),
    "channel_shuffle": (nn.ChannelShuffle(2), (4, 2, 2)),
    "attention": (Function(lambda x, layer: layer(x, x, x, need_weights=False)[0],
                           nn.MultiheadAttention(4, 2, batch_first=True)), (3, 4)),
    "lstm": (Function(lambda x, layer: layer(x)[0], nn.LSTM(2, 3, batch_first=True)), (3, 2)),
    "cumsum": (Function(lambda x: torch.cumsum(x, 1)), (4,)),
    "norm": (Function(lambda x: torch.linalg.norm(x, dim=1, keepdim=True)), (4,)),
    "logsumexp": (Function(lambda x: torch.logsumexp(x, 1)), (4,)),
}  # fmt: skip


def exported(name, path, folder):
    """The file, two samples, and what PyTorch makes of them in double precision."""
    torch.manual_seed(len(name))
    net, shape = NETS[name]
    net = net.float().eval()
    x = torch.randn(2, *shape)
    file = folder / f"{name}_{path}.onnx"
    batch = torch.export.Dim("batch")
    how = (
        {"dynamo": True, "dynamic_shapes": ({0: batch},), "verbose": False, "optimize": True}
        if path == "dynamo"
        else {"dynamo": False, "dynamic_axes": {"x": {0: "batch"}}}
    )
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        if isinstance(net, Function) and path == "dynamo":
            how["dynamic_shapes"] = {"x": {0: batch}}
        torch.onnx.export(net, (x,), file, input_names=["x"], output_names=["y"], **how)
        with torch.no_grad():
            expected = net.double()(x.double()).numpy()
    net.float()
    return file, {"x": x.numpy()}, np.asarray(expected)

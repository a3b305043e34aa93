"""The sweep of folding: for each operator, a function that makes a random node of constants (constant_nodes.py)."""

from __future__ import annotations

import numpy as np
from constant_nodes import (
    arithmetic,
    cast,
    clip,
    comparison,
    conv,
    cum_sum,
    either,
    elementwise,
    extremum,
    gather,
    gemm,
    normalization,
    one_hot,
    pick,
    quantize,
    range_,
    real,
    scatter_nd,
    shape_of,
    slicing,
    softmax,
    top_k,
    trilu,
    whole,
)


def moving(op):
    """What only moves data."""

    def make(rng):
        x = either(rng, *shape_of(rng, 2, 4))
        axis = int(rng.integers(-x.ndim, x.ndim))
        return {
            "Transpose": lambda: ("Transpose", [x], {"perm": [int(p) for p in rng.permutation(x.ndim)]}, 13),
            "Flatten": lambda: ("Flatten", [x], {"axis": axis}, 13),
            "Reshape": lambda: ("Reshape", [x, np.array([0, -1])], {}, 13),
            "Squeeze": lambda: ("Squeeze", [x[None], np.array([0])], {}, 13),
            "Unsqueeze": lambda: ("Unsqueeze", [x, np.array([0, -1])], {}, 13),
            "Concat": lambda: ("Concat", [x, x], {"axis": axis}, 13),
            "Split": lambda: ("Split", [np.concatenate([x, x, x], axis)], {"axis": axis}, 11),
            "Tile": lambda: ("Tile", [x, whole(rng, x.ndim, low=1, high=4)], {}, 13),
            "Expand": lambda: ("Expand", [x[..., :1], np.array([3, *x.shape])], {}, 13),
            "Shape": lambda: ("Shape", [x], {"start": axis} if rng.random() < 0.5 else {}, 15),
            "Size": lambda: ("Size", [x], {}, 13),
            "NonZero": lambda: ("NonZero", [x % 2], {}, 13),
            "Compress": lambda: ("Compress", [x, np.array([True])], {"axis": axis}, 11),
            "DepthToSpace": lambda: (
                "DepthToSpace",
                [real(rng, 1, 8, 2, 3)],
                {"blocksize": 2, "mode": pick(rng, "DCR", "CRD")},
                13,
            ),
            "SpaceToDepth": lambda: ("SpaceToDepth", [real(rng, 1, 2, 4, 6)], {"blocksize": 2}, 13),
            "Where": lambda: ("Where", [x > 0, x, x[..., :1]], {}, 16),
            "EyeLike": lambda: ("EyeLike", [real(rng, 3, 4)], {"k": int(rng.integers(-2, 3))}, 9),
            "ConstantOfShape": lambda: ("ConstantOfShape", [np.array(x.shape)], {}, 9),
            "MatMul": lambda: ("MatMul", [real(rng, *x.shape), real(rng, x.shape[-1], 3)], {}, 13),
            "Einsum": lambda: (
                "Einsum",
                [real(rng, 2, 3), real(rng, 3, 4)],
                {"equation": pick(rng, "ij,jk->ik", "ij,jk", "ij,jk->ki")},
                12,
            ),
            "PRelu": lambda: ("PRelu", [real(rng, *x.shape), np.abs(real(rng, x.shape[-1]))], {}, 16),
            "Dropout": lambda: ("Dropout", [real(rng, 3, 4)], {}, 13),
            "Hardmax": lambda: ("Hardmax", [real(rng, *x.shape)], {"axis": axis}, 13),
            "ReverseSequence": lambda: ("ReverseSequence", [real(rng, 4, 2, 3), np.array([2, 4])], {}, 10),
            "Sum": lambda: ("Sum", [real(rng, 3, 1), real(rng, 4), real(rng, 1)], {}, 13),
            "Mean": lambda: ("Mean", [real(rng, 3), real(rng, 3)], {}, 13),
        }[op]()

    return make


PLAIN = (
    *("Abs", "Neg", "Exp", "Sign", "Floor", "Ceil", "Round", "Sin", "Cos", "Atan", "Tanh", "Sigmoid", "Relu"),
    *("Softplus", "Softsign", "Erf", "Sinh", "Asinh", "IsNaN", "IsInf", "Identity", "HardSwish", "Mish"),
)
MOVING = (
    *("Transpose", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Concat", "Split", "Tile", "Expand", "Shape", "Size"),
    *("NonZero", "Compress", "DepthToSpace", "SpaceToDepth", "Where", "EyeLike", "ConstantOfShape", "MatMul", "Einsum"),
    *("PRelu", "Dropout", "Hardmax", "ReverseSequence", "Sum", "Mean"),
)
SWEEP = {
    **{op: arithmetic(op) for op in ("Add", "Sub", "Mul", "Div", "Pow", "Mod", "Max", "Min")},
    **{op: comparison(op) for op in ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor")},
    **{op: elementwise(op, opsets=(18,) if op == "Mish" else (13, 17)) for op in PLAIN},
    **{op: elementwise(op, positive=True) for op in ("Log", "Sqrt", "Reciprocal")},
    **{op: elementwise(op, ("alpha",)) for op in ("Elu", "LeakyRelu", "ThresholdedRelu", "Celu")},
    **{op: elementwise(op, ("alpha", "beta")) for op in ("HardSigmoid",)},
    "Selu": elementwise("Selu", ("alpha", "gamma")),
    "Shrink": elementwise("Shrink", ("bias", "lambd")),
    "Gelu": elementwise("Gelu", opsets=(20,)),
    "Swish": elementwise("Swish", ("alpha",), opsets=(24,)),
    **{op: softmax(op) for op in ("Softmax", "LogSoftmax")},
    "Cast": cast,
    **{op: conv(op) for op in ("Conv", "ConvTranspose")},
    **{
        f"{n}Normalization": normalization(f"{n}Normalization")
        for n in ("Batch", "Instance", "Group", "Layer", "RMS", "Lp")
    },
    "Slice": slicing,
    **{op: gather(op) for op in ("Gather", "GatherND", "GatherElements", "ScatterElements")},
    "ScatterND": scatter_nd,
    "TopK": top_k,
    **{op: extremum(op) for op in ("ArgMax", "ArgMin")},
    "Range": range_,
    "OneHot": one_hot,
    "CumSum": cum_sum,
    "Trilu": trilu,
    "Clip": clip,
    "Gemm": gemm,
    **{op: quantize(op) for op in ("QuantizeLinear", "DequantizeLinear")},
    **{op: moving(op) for op in MOVING},
}

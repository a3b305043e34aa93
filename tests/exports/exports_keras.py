"""Forty Keras 3 models, exported to ONNX by Keras itself, with PyTorch behind it."""

from __future__ import annotations

import contextlib
import io
import os
import warnings

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
from keras import layers

ACTIVATIONS = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign", "tanh",
    "sigmoid", "hard_sigmoid", "hard_silu", "hard_tanh", "softmax", "log_softmax", "log_sigmoid", "exponential",
    "tanh_shrink", "soft_shrink", "hard_shrink", "squareplus",
)  # fmt: skip


def dense(*between):
    return lambda: [layers.Dense(6), *(make() for make in between), layers.Dense(3)]


NETS = {name: ((4,), lambda name=name: [layers.Dense(6, activation=name), layers.Dense(3)]) for name in ACTIVATIONS} | {
    "prelu": ((4,), dense(layers.PReLU)),
    "batch_norm": ((4,), dense(layers.BatchNormalization, layers.ReLU)),
    "layer_norm": ((4,), dense(layers.LayerNormalization)),
    "group_norm": ((4,), dense(lambda: layers.GroupNormalization(2))),
    "unit_norm": ((4,), dense(layers.UnitNormalization)),
    "normalization": ((4,), lambda: [layers.Normalization(mean=[0.1, 0, 1, 2], variance=[1, 2, 3, 4]), layers.Dense(3)]),
    "rescaling": ((4,), lambda: [layers.Rescaling(0.5, 0.1), layers.Dense(3, activation="sigmoid")]),
    "conv1d": ((6, 2), lambda: [layers.Conv1D(3, 3, padding="same", activation="relu"), layers.Flatten(), layers.Dense(2)]),
    "conv2d": ((6, 6, 2), lambda: [layers.Conv2D(3, 3, strides=2), layers.ReLU(), layers.Flatten(), layers.Dense(2)]),
    "separable": ((5, 5, 2), lambda: [layers.SeparableConv2D(3, 3, padding="same")]),
    "max_pool": ((6, 6, 1), lambda: [layers.MaxPooling2D(2, padding="same")]),
    "average_pool": ((5, 5, 1), lambda: [layers.AveragePooling2D(2, padding="same")]),
    "global_pool": ((4, 4, 2), lambda: [layers.GlobalAveragePooling2D(), layers.Dense(2)]),
    "upsampling": ((3, 3, 1), lambda: [layers.UpSampling2D(2, interpolation="bilinear")]),
    "zero_padding": ((3, 3, 1), lambda: [layers.ZeroPadding2D(1), layers.Cropping2D(((1, 0), (0, 1)))]),
    "conv_transpose": ((3, 3, 2), lambda: [layers.Conv2DTranspose(2, 3, strides=2, padding="same")]),
    "permute": ((3, 2), lambda: [layers.Permute((2, 1)), layers.Reshape((6,)), layers.RepeatVector(2)]),
    "simple_rnn": ((3, 2), lambda: [layers.SimpleRNN(3, unroll=True)]),
    "gru": ((3, 2), lambda: [layers.GRU(3, unroll=True)]),
    "lstm": ((3, 2), lambda: [layers.LSTM(3, unroll=True)]),
}  # fmt: skip


def exported(name, folder):
    """The file, two samples, and what Keras makes of them."""
    keras.utils.set_random_seed(len(name))
    shape, make = NETS[name]
    model = keras.Sequential([keras.Input(shape, name="x"), *make()])
    x = np.random.default_rng(3).normal(size=(2, *shape)).astype(np.float32)
    file = folder / f"{name}.onnx"
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        expected = keras.ops.convert_to_numpy(model(x))
        model.export(str(file), format="onnx", verbose=False)
    return file, {"x": x}, np.asarray(expected)

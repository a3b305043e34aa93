"""Measures the tables of compression.md and writes them into it: python docs/compression.py [TABLE ...], ten minutes.

Needs PyTorch, scikit-learn and COPASI: pip install 'nn2crn[train,verify]' scikit-learn.
"""

# ruff: noqa: INP001, T201  # a script, which prints what it has measured

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import COPASI
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tables import head, percent, row, write

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.frontends.samples import read_data, read_labels
from nn2crn.ir.network import Network
from nn2crn.passes.compression.options import Compression, Pruning, Quantization
from nn2crn.passes.compression.quantize import correlation, levels, nearest
from nn2crn.passes.compression.trained_weights import connections
from nn2crn.passes.network.set_domain import set_domain
from nn2crn.training import Evolution, Training, train
from nn2crn.tune import compression_search

Values = NDArray[np.float64]
Labels = NDArray[np.intp]

DOCUMENT = Path(__file__).with_suffix(".md")
DIGITS = Path(__file__).parents[1] / "samples" / "digits"
SEEDS = range(5)
BITS = range(2, 7)
FRACTIONS = (0.5, 0.8, 0.9, 0.95)
SYNTHETIC = 50_000  # weights drawn from a distribution
LIBRARY = nn2crn.Library()


@dataclass(frozen=True)
class Data:
    """Samples in [0, 1] (n, size) and their classes (n,), to train and calibrate on and to test on."""

    x: Values
    labels: Labels
    x_test: Values
    labels_test: Labels

    def accuracy(self, network: Network) -> float:
        """On the test samples; the smoothed ReLU is exact, so that this is the chemistry's accuracy as well."""
        found = forward(network, {"x": self.x_test}, LIBRARY)["y"]
        return float(np.mean(found.argmax(axis=1) == self.labels_test))


@dataclass(frozen=True)
class Subject:
    """A network's shape, the data for it and how long it is trained."""

    title: str
    hidden: tuple[int, ...]
    data: Callable[[int], Data]
    epochs: int


@cache
def small(seed: int) -> Data:
    """The 1797 digits of scikit-learn, 8 x 8 pixels, split at random."""
    digits = load_digits()
    x, x_test, labels, labels_test = train_test_split(
        digits.data / 16, digits.target.astype(np.intp), test_size=0.25, random_state=seed, stratify=digits.target
    )
    return Data(x, labels, x_test, labels_test)


@cache
def large(seed: int) -> Data:
    """As many pixels as MNIST has: digits three times as large, anywhere in 28 x 28 pixels, with noise."""
    rng, source = np.random.default_rng(seed), small(seed)

    def drawn(x: Values, labels: Labels, count: int) -> tuple[Values, Labels]:
        chosen = rng.integers(len(x), size=count)
        images = np.zeros((count, 28, 28))
        for image, k, (i, j) in zip(images, chosen, rng.integers(5, size=(count, 2)), strict=True):
            image[i : i + 24, j : j + 24] = zoom(x[k].reshape(8, 8), 3, order=1)
        noisy = images + rng.normal(0, 0.1, images.shape)
        return np.clip(noisy, 0, 1).reshape(count, -1), labels[chosen]

    return Data(*drawn(source.x, source.labels, 4000), *drawn(source.x_test, source.labels_test, 1000))


SUBJECTS = (
    Subject("64-32-10", (32,), small, 200),
    Subject("784-64-10", (64,), large, 40),
)


@cache
def trained(subject: Subject, training: Training) -> Network:
    """A network of the subject's shape, trained on its data."""
    data = subject.data(training.seed)
    steps = subject.epochs * -(-len(data.x) // training.batch)
    done = train(data.x, data.labels, subject.hidden, replace(training, steps=steps), test=0)
    return set_domain(done.network, {"": (0.0, 1.0)})


def whole(subject: Subject, seed: int) -> Network:
    """The dense network."""
    return trained(subject, Training(seed=seed))


def compressed(
    subject: Subject, seed: int, *, prune: str | None = None, quantize: str | None = None, repair: bool = False
) -> Network:
    """The dense network with fewer connections or levels, calibrated on the training samples."""
    return nn2crn.compress(
        whole(subject, seed),
        Compression(
            prune=Pruning.parse(prune) if prune else None,
            quantize=Quantization.parse(quantize) if quantize else None,
            repair=repair,
            data={"x": subject.data(seed).x},
        ),
    )


def accuracies(subject: Subject, made: Callable[[int], Network]) -> str:
    """Of the networks that are made with each seed."""
    return percent([subject.data(seed).accuracy(made(seed)) for seed in SEEDS])


def loss(weights: Values, quantize: str) -> float:
    """1 - the correlation of the weights with their levels."""
    how = Quantization.parse(quantize)
    return 1 - correlation(weights, nearest(weights, levels(weights, how), zero=how.zero))


def loss_of_range(weights: Values, bits: int) -> float:
    """The same for equal steps across the whole range of the weights, without a search for the best."""
    count = 2 ** (bits - 1)
    values = np.abs(weights).max() * (np.arange(count) + 0.5) / count
    return 1 - correlation(weights, nearest(weights, values, zero=False))


def losses(values: list[float]) -> str:
    """The mean, to two digits, and the standard deviation in units of the last."""
    mean, spread = statistics.mean(values), statistics.stdev(values)
    digits = 1 - int(np.floor(np.log10(mean)))
    return f"{mean:.{digits}f} &plusmn; {spread:.{digits}f}"


def quantization_table() -> Iterator[str]:
    """Linear against exponential."""
    yield from head("network", "bits", "linear", "exponential", "linear, repaired", "exponential, repaired",
                    "1 - &rho;, linear", "1 - &rho;, exponential")  # fmt: skip
    for subject in SUBJECTS:
        yield row(subject.title, "none", accuracies(subject, partial(whole, subject)), *[""] * 5)
        for bits in BITS:
            kinds = [f"{spacing}:{bits}" for spacing in ("linear", "exponential")]
            cells = [
                accuracies(subject, partial(compressed, subject, quantize=kind, repair=repair))
                for repair in (False, True)
                for kind in kinds
            ]
            for kind in kinds:
                layers = [[connections(a) for a in whole(subject, seed).affines()] for seed in SEEDS]
                cells.append(losses([statistics.mean(loss(w, kind) for w in weights) for weights in layers]))
            yield row(subject.title, bits, *cells)


def tails_table() -> Iterator[str]:
    """Weights drawn from distributions with light and with heavy tails."""
    yield from head("weights", "bits", "1 - &rho;, linear", "1 - &rho;, exponential", "ratio",
                    "1 - &rho;, linear to the largest weight")  # fmt: skip
    for name in ("normal", "laplace"):
        drawn = [getattr(np.random.default_rng(seed), name)(size=SYNTHETIC) for seed in SEEDS]
        for bits in BITS:
            found = [[loss(w, f"{spacing}:{bits}") for w in drawn] for spacing in ("linear", "exponential")]
            ratio = statistics.mean(found[0]) / statistics.mean(found[1])
            title = {"normal": "Gaussian", "laplace": "Laplace"}[name]
            widest = losses([loss_of_range(w, bits) for w in drawn])
            yield row(title, bits, losses(found[0]), losses(found[1]), f"{ratio:.2f}", widest)


def kurtosis_table() -> Iterator[str]:
    """How heavy the tails of the trained weights are: 0 of a Gaussian, 3 of a Laplace distribution."""
    yield from head("network", "first layer", "last layer")
    for subject in SUBJECTS:
        found = []
        for seed in SEEDS:
            centred = [w - w.mean() for w in map(connections, whole(subject, seed).affines())]
            found.append([float(np.mean(w**4) / np.mean(w**2) ** 2) - 3 for w in centred])
        cells = (f"{statistics.mean(k):.1f} &plusmn; {statistics.stdev(k):.1f}" for k in zip(*found, strict=True))
        yield row(subject.title, *cells)


def pruning_table() -> Iterator[str]:
    """Which connections go, and whether the rest is repaired."""
    yield from head("network", "removed", "by", "accuracy", "repaired", "reactions")
    for subject in SUBJECTS:
        dense = [nn2crn.compile(whole(subject, seed)).reaction_count for seed in SEEDS]
        yield row(subject.title, "none", "", accuracies(subject, partial(whole, subject)), "", counts(dense))
        for fraction in FRACTIONS:
            for score in ("magnitude", "cosine", "weighted-cosine", "set"):
                made = {
                    repair: {s: compressed(subject, s, prune=f"{score}:{fraction}", repair=repair) for s in SEEDS}
                    for repair in (False, True)
                }
                cells = [accuracies(subject, made[repair].__getitem__) for repair in (False, True)]
                cells.append(counts([nn2crn.compile(n).reaction_count for n in made[True].values()]))
                yield row(subject.title, f"{fraction:.0%}", score, *cells)
            plans = {s: Training(density=1 - fraction, evolution=Evolution(), seed=s) for s in SEEDS}
            evolved = {s: trained(subject, plan) for s, plan in plans.items()}
            count = counts([nn2crn.compile(n).reaction_count for n in evolved.values()])
            yield row(
                subject.title, f"{fraction:.0%}", "SET training", accuracies(subject, evolved.__getitem__), "", count
            )


def counts(values: list[int]) -> str:
    """The mean number."""
    return f"{statistics.mean(values):.0f}"


def evolution_table() -> Iterator[str]:
    """SET and the five combinations with cosines, at a tenth of the connections."""
    subject = SUBJECTS[0]
    yield from head("removal", "regrowth", "accuracy")
    for removal in ("magnitude", "cosine"):
        for regrowth in ("random", "highest", "likely"):
            plans = {s: Training(density=0.1, evolution=Evolution(removal, regrowth), seed=s) for s in SEEDS}
            nets = {s: trained(subject, plan) for s, plan in plans.items()}
            yield row(removal, regrowth, accuracies(subject, nets.__getitem__))


def loading_table() -> Iterator[str]:
    """The digits sample, whole and as `nn2crn compress` makes it, in COPASI."""
    model, file = DIGITS / "digits.onnx", DIGITS / "digits.npz"
    network = nn2crn.load(model, logits=True, domain={"": (0.0, 1.0)})
    given = compression_search.task(network, nn2crn.Options(), read_data(file, network), read_labels(file, "label"))
    best = compression_search.choose(given, compression_search.search(given), min_accuracy=0.95)
    yield from head("digits", "accuracy", "reactions", "distinct rate constants", "COPASI loads it in (CPU time)")
    for title, subject in (("dense", network), (f"`{best.prune}`, `{best.quantize}`", best.network)):
        reactions = nn2crn.compile(subject)
        with tempfile.NamedTemporaryFile(suffix=".xml") as target:
            nn2crn.write(reactions, target.name)
            seconds = statistics.median(loading(target.name) for _ in SEEDS)
            constants = Path(target.name).read_text(encoding="utf-8").count('<parameter id="k')
        accuracy = f"{given.accuracy(subject):.1%}"
        yield row(title, accuracy, reactions.reaction_count, constants, f"{seconds:.2g} s")


def loading(path: str) -> float:
    """Seconds of the processor to import an SBML file, which do not depend on what else the machine does."""
    data = COPASI.CRootContainer.addDatamodel()
    begun = time.process_time()
    if not data.importSBML(path):
        raise SystemExit(COPASI.CCopasiMessage.getAllMessageText())
    seconds = time.process_time() - begun
    COPASI.CRootContainer.removeDatamodel(data)
    return seconds


TABLES: Mapping[str, Callable[[], Iterator[str]]] = {
    "loading": loading_table,
    "tails": tails_table,
    "quantization": quantization_table,
    "kurtosis": kurtosis_table,
    "evolution": evolution_table,
    "pruning": pruning_table,
}


def main() -> None:
    """Measures and writes the tables named, or all."""
    begun = time.perf_counter()
    for name in sys.argv[1:] or TABLES:
        write(DOCUMENT, name, TABLES[name]())
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()

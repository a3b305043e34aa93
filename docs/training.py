"""Measures the tables of training.md, equilibrium.md and sparse.md and writes them there.

python docs/training.py [TABLE ...]: an hour for all. Needs PyTorch and scikit-learn: pip install 'nn2crn[train]'
scikit-learn.
"""

# ruff: noqa: INP001, T201  # a script, which prints what it has measured

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler
from tables import head, percent, row, write

import nn2crn
from nn2crn.analysis.forward import forward
from nn2crn.certificates.certificate import certify, subject
from nn2crn.engines.mass_action import MassAction
from nn2crn.engines.ports import set_inputs
from nn2crn.engines.steady_state.tubes import draw, tube_outputs
from nn2crn.evaluate.case import engine, outputs_of
from nn2crn.ir.network import Network
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.training import Equilibrium, Evolution, Training, train
from nn2crn.training.harden import harden
from nn2crn.training.table import Table
from nn2crn.training.tolerance import accuracy

FOLDER = Path(__file__).parent
SEEDS = range(5)
CVS = (0.0, 0.05, 0.1, 0.2, 0.5)
TUBES = 60
STEPS = 500  # of sparse networks
HIDDEN = {"xor": 4, "iris": 8, "digits": 32, "wine": 16, "breast_cancer": 16}
WIRINGS = ("feed-forward", "layered", "complete")
RULES = ("exact", "vector-field", "published")


@cache
def data(name: str) -> tuple[Any, Any]:
    """Samples and classes: sets that scikit-learn ships, or generates."""
    made = {"n_classes": 6, "n_informative": 12, "n_redundant": 8, "n_clusters_per_class": 2, "random_state": 1}
    few = {"n_informative": 5, "n_redundant": 15, "n_clusters_per_class": 16, "random_state": 0}
    if name == "xor":
        return np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    if name == "generated":
        return datasets.make_classification(1500, 60, class_sep=1.5, flip_y=0.01, **made)
    if name == "madelon":
        return datasets.make_classification(2000, 200, class_sep=1.0, flip_y=0.01, **few)
    found = getattr(datasets, f"load_{name}")()
    return found.data, found.target


def peers_table() -> Iterator[str]:
    """Both methods beside scikit-learn's MLP of the same size on the same splits."""
    yield from head("data", "hidden", "gradient", "equilibrium", "scikit-learn")
    for name in ("iris", "digits"):
        x, y = data(name)
        scores: dict[str, list[float]] = {"gradient": [], "equilibrium": [], "peer": []}
        for seed in SEEDS:
            scores["gradient"].append(train(x, y, (HIDDEN[name],), Training(steps=2000, seed=seed)).score)
            how = Training("equilibrium", steps=1000, batch=32, rate=1e-2, seed=seed)
            scores["equilibrium"].append(train(x, y, (HIDDEN[name],), how).score)
            rest, held_out = Table.of(x, y).split(0.25, np.random.default_rng(seed))
            scale = MinMaxScaler().fit(rest.x)
            peer = MLPClassifier((HIDDEN[name],), max_iter=2000, random_state=seed).fit(scale.transform(rest.x), rest.y)
            scores["peer"].append(float(peer.score(scale.transform(held_out.x), held_out.y)))
        yield row(name, HIDDEN[name], *(percent(v) for v in scores.values()))


def noise_table() -> Iterator[str]:
    """Accuracy in tubes, of nets trained with and without noise; inputs are standard scores but for digits."""
    yield from head("data", "trained", "reactions", *(f"{cv:.0%}" for cv in CVS))
    subjects = [(name, noise, 1.0) for name in ("iris", "wine", "breast_cancer", "digits") for noise in (0.0, 0.35)]
    for name, noise, density in [*subjects, ("digits", 0.35, 0.2)]:
        x, y = data(name)
        width = HIDDEN[name] * (4 if density < 1 else 1)
        found: dict[float, list[float]] = {cv: [] for cv in CVS}
        counts = []
        for seed in SEEDS:
            how = Training(noise=noise, density=density, seed=seed, steps=3000 if noise else 1500)
            done = train(x, y, (width,), how, centring="biases" if name == "digits" else "inputs")
            reactions = nn2crn.compile(done.network)
            counts.append(reactions.reaction_count)
            for cv in CVS:
                found[cv].append(accuracy(reactions, {"x": done.test.x}, done.test.y, cv, TUBES).mean)
        title = f"noise {noise}" if noise else "plain"
        title += f", {width} wide, {1 - density:.0%} pruned" if density < 1 else ""
        yield row(name, title, round(statistics.mean(counts)), *(percent(v) for v in found.values()))


def harden_table() -> Iterator[str]:
    """The sample digits.onnx, trained on with the samples that it was made with, judged on those that it was not."""
    yield from head("digits.onnx", *(f"{cv:.0%}" for cv in (0, 0.1, 0.2, 0.5)), "seconds")
    x, y = data("digits")
    seen, unseen, labels, wanted = train_test_split(x / 16, y, test_size=0.25, random_state=0, stratify=y)
    network = nn2crn.load(FOLDER.parent / "samples" / "digits" / "digits.onnx", logits=True, domain={"": (0.0, 1.0)})
    begun = time.process_time()
    done = harden(network, Table.of(seen, labels), Training(noise=0.35), test=0.05, tubes=2)
    seconds = f"{time.process_time() - begun:.1f}"
    for title, made, took in (("as it is", network, ""), ("hardened", done.network, seconds)):
        reactions = nn2crn.compile(made)
        port = {reactions.inputs[0].name: unseen}
        found = [accuracy(reactions, port, wanted, cv, TUBES).mean for cv in (0, 0.1, 0.2, 0.5)]
        yield row(title, *(f"{100 * share:.1f}" for share in found), took)


def literal_table() -> Iterator[str]:
    """The same tubes by literal mass action: each reaction with a factor of its own, integrated till it has settled."""
    yield from head("data", "20% by formulas", "literally", "standard error", "same class")
    for name in ("iris", "wine", "breast_cancer", "digits"):
        x, y = data(name)
        how = Training(noise=0.35, steps=3000)
        done = train(x, y, (HIDDEN[name],), how, centring="biases" if name == "digits" else "inputs")
        reactions, few = nn2crn.compile(done.network), slice(None, None, len(done.test.y) // 8)
        tubes = draw(reactions, 25, cv=0.2)
        expected = tube_outputs(reactions, {"x": done.test.x[few]}, tubes).argmax(axis=-1)
        found = literal_classes(reactions, done.test.x[few], tubes.rates)
        right = (found == done.test.y[few]).mean(axis=1)
        error = float(np.std(right, ddof=1) / np.sqrt(len(right)))
        shares = ((expected == done.test.y[few]).mean(), right.mean(), error)
        yield row(name, *(f"{100 * s:.1f}" for s in shares), f"{(expected == found).sum()} of {found.size}")


def literal_classes(reactions: ReactionNetwork, x: Any, factors: Any) -> Any:
    """Of samples in tubes, (tubes, samples), by integrating reaction by reaction."""
    state, found = reactions.initial.copy(), []
    for each in factors:
        kinetics = MassAction(reactions)
        kinetics.rates = kinetics.rates * each
        ends = []
        for values in x:
            start = np.broadcast_to(state, (1, len(state))).copy()
            set_inputs(reactions, {"x": values[None]}, start)
            course = solve_ivp(
                lambda _, s, k=kinetics: k.derivative(s), (0, 2000), start[0], "LSODA", rtol=1e-6, atol=1e-9,
                jac=lambda _, s, k=kinetics: k.jacobian(s).toarray(), t_eval=[2000],
            )  # fmt: skip
            ends.append(course.y[:, -1])
        found.append(outputs_of(reactions, np.array(ends)).argmax(axis=1))
    return np.array(found)


def equilibrium_table() -> Iterator[str]:
    """Wirings and rules; the exact rule pruned to a third of the connections as well."""
    yield from head("data", "wiring", "rule", "connections", "accuracy", "reactions", "seconds")
    for name, steps in (("xor", 400), ("iris", 600), ("digits", 600)):
        x, y = data(name)
        for wiring in WIRINGS:
            pruned = [("exact", 0.35)] if name != "xor" else []
            for rule, density in [*((r, 1.0) for r in RULES), *pruned]:
                scores, counts, begun = [], [], time.process_time()
                for seed in SEEDS:
                    how = Training(
                        "equilibrium", steps=steps, batch=32, rate=2e-2 if name == "xor" else 1e-2, seed=seed,
                        density=density, equilibrium=Equilibrium(wiring, rule), validation=0 if name == "xor" else 0.1,
                    )  # fmt: skip
                    done = train(x, y, (HIDDEN[name],), how, test=0 if name == "xor" else 0.25)
                    scores.append(done.score)
                    counts.append(nn2crn.compile(done.network).reaction_count)
                seconds = (time.process_time() - begun) / len(SEEDS)
                kept = f"{density:.0%}"
                yield row(name, wiring, rule, kept, percent(scores), round(statistics.mean(counts)), f"{seconds:.1f}")


def chemistry_table() -> Iterator[str]:
    """The chemistry of the first seed: what is proved, and the class of every held-out sample in three engines."""
    yield from head("data", "trained by", "proved of its loop", "samples", "in roadrunner", "fixed point", "internal")
    for name in ("iris", "digits"):
        x, y = data(name)
        plans = {"gradient": Training(steps=2000)} | {
            f"equilibrium, {wiring}": Training(
                "equilibrium", steps=1000, batch=32, rate=1e-2, equilibrium=Equilibrium(wiring)
            )
            for wiring in WIRINGS
        }
        for title, how in plans.items():
            done = train(x, y, (HIDDEN[name],), how)
            reactions = nn2crn.compile(done.network)
            values = forward(done.network, {"x": done.test.x}, nn2crn.Library())
            own = values[done.network.outputs[0].source].argmax(axis=1)
            said = []
            for program in ("roadrunner", "fixed-point", "internal"):
                with engine(program, reactions) as chosen:
                    begun = time.perf_counter()
                    classes = outputs_of(reactions, chosen.settle({"x": done.test.x})).argmax(axis=1)
                    seconds = time.perf_counter() - begun
                same = int((classes == own).sum())
                said.append(f"{same} of {len(own)} alike" + (f", {seconds:.2g} s" if program != "roadrunner" else ""))
            yield row(name, title, proved(done.network), len(own), *said)


def proved(network: Network) -> str:
    """What holds of the loop of a network."""
    loops = certify(subject(network, nn2crn.Options())).loops if network.recurrent else ()
    return ", ".join(loop.proof or "nothing" for loop in loops) or "no loop"


def sparse_table() -> Iterator[str]:
    """Dense, SET and the five cosine variants at a tenth of the connections."""
    rules = [(a, b) for a in ("magnitude", "cosine") for b in ("random", "highest", "likely")]
    yield from head("data", "dense", "SET", *(f"{a}, {b}" for a, b in rules[1:]))
    for name in SPARSE:
        x, y = data(name)
        sparse = [Training(steps=STEPS, density=0.1, evolution=Evolution(*r, every=25)) for r in rules]
        plans = [Training(steps=STEPS), *sparse]
        yield row(name, *(percent([evolved(x, y, how, s) for s in SEEDS]) for how in plans))


SPARSE = ("digits", "breast_cancer", "wine", "iris", "generated", "madelon")


def evolved(x: Any, y: Any, how: Training, seed: int) -> float:
    """The accuracy of one network with 32 hidden neurons."""
    from dataclasses import replace

    return train(x, y, (32,), replace(how, seed=seed)).score


def schedule_table() -> Iterator[str]:
    """How often connections evolve: SET at a tenth of the connections."""
    every = (10, 25, 50, 100, 200)
    yield from head("data", *(f"every {e} steps" for e in every))
    for name in ("wine", "breast_cancer", "digits"):
        x, y = data(name)
        plans = [Training(steps=STEPS, density=0.1, evolution=Evolution(every=e)) for e in every]
        yield row(name, *(percent([evolved(x, y, how, s) for s in SEEDS]) for how in plans))


def inputs_table() -> Iterator[str]:
    """Rank correlation of an input's connections with its mutual information with the class."""
    from scipy.stats import spearmanr
    from sklearn.feature_selection import mutual_info_classif

    yield from head("data", "rank correlation", "connections of the best tenth / of all")
    for name in ("digits", "breast_cancer", "madelon"):
        x, y = data(name)
        importance = mutual_info_classif(x, y, random_state=0)
        found, ratio = [], []
        for seed in SEEDS:
            how = Training(steps=STEPS, density=0.1, evolution=Evolution(every=25), seed=seed)
            weight = next(iter(train(x, y, (32,), how).network.affines())).terms[0].weight
            count = np.asarray((weight != 0).sum(axis=0)).reshape(-1)
            found.append(float(spearmanr(count, importance).statistic))
            best = np.argsort(-importance)[: max(1, len(importance) // 10)]
            ratio.append(float(count[best].mean() / count.mean()))
        yield row(
            name,
            f"{statistics.mean(found):.2f} &plusmn; {statistics.stdev(found):.2f}",
            f"{statistics.mean(ratio):.2f}",
        )


TABLES: Mapping[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "peers": ("training.md", peers_table),
    "noise": ("training.md", noise_table),
    "harden": ("training.md", harden_table),
    "literal": ("training.md", literal_table),
    "equilibrium": ("equilibrium.md", equilibrium_table),
    "chemistry": ("equilibrium.md", chemistry_table),
    "sparse": ("sparse.md", sparse_table),
    "schedule": ("sparse.md", schedule_table),
    "inputs": ("sparse.md", inputs_table),
}


def main() -> None:
    """Measures and writes the tables named, or all."""
    begun = time.perf_counter()
    for name in sys.argv[1:] or TABLES:
        file, table = TABLES[name]
        write(FOLDER / file, name, table())
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()

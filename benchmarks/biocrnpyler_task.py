"""bioCRNpyler writing SBML, in its own environment: python biocrnpyler_task.py REACTIONS TARGET."""

from __future__ import annotations

import json
import sys
import time
import warnings

from biocrnpyler import ChemicalReactionNetwork, Reaction, Species

warnings.simplefilter("ignore")


def main(count: int, target: str) -> None:
    """A layer of weights: X_j + Y_i -> X_j + 2 Y_i."""
    width = int(count**0.5)
    begun = time.perf_counter()
    x = [Species(f"x{j}") for j in range(width)]
    y = [Species(f"y{i}") for i in range(-(-count // width))]
    pairs = [(i, j) for i in range(len(y)) for j in range(width)][:count]
    reactions = [
        Reaction.from_massaction([x[j], y[i]], [x[j], y[i], y[i]], k_forward=0.1 + i + j / width) for i, j in pairs
    ]
    network = ChemicalReactionNetwork(species=x + y, reactions=reactions)
    network.write_sbml_file(target)
    print(json.dumps({"seconds": time.perf_counter() - begun, "reactions": len(reactions)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

"""What the report is of, for the page: the model, its cost, how it was made, and how to open it in other programs."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from nn2crn.analysis.summary import summarise
from nn2crn.backends.common.names import make_ids
from nn2crn.backends.common.usage_notes import how_to_use
from nn2crn.backends.record import show_record
from nn2crn.evaluate.case import Case
from nn2crn.files.plain_json import schema_of
from nn2crn.files.reading import as_word
from nn2crn.ir.reactions import ReactionNetwork
from nn2crn.reporting.measured import ends_of
from nn2crn.templates.options import Options
from nn2crn.templates.template import PYTHON
from nn2crn.version import __version__

_PACKAGES = ("numpy", "scipy", "scikit-sundae", "onnx", "onnxruntime", "libroadrunner", "python-copasi", "matplotlib")
_WRITTEN_OUT = 64  # inputs whose values a script can list
_LONGER = 10  # times what a course took until nothing changed: other samples may take longer


def about(subject: Case) -> dict[str, Any]:
    """The network, and what it costs as `inspect --json` has it."""
    network = subject.reactions
    return {
        "model": subject.model,
        "name": network.name,
        "encoding": network.encoding,
        "recurrent": network.recurrent,
        "time_unit": network.units.time,
        "drawn": subject.drawn,
        "shape": summarise(network).shape(),
        "cost": {"schema": schema_of("inspect"), "model": subject.model, **summarise(network).as_json()},
    }


def elsewhere(subject: Case, run: Mapping[str, Any] | None, command: Sequence[str]) -> dict[str, Any]:
    """What is set, run and read in COPASI and Tellurium, with the first sample to try it on.

    The command that writes the file is made of the case's options unless its words are given.
    """
    network = subject.reactions
    values = [float(v) for rows in subject.inputs.values() for v in rows[0]]
    duration = 10 ** int(np.ceil(np.log10(_LONGER * run["times"][-1]))) if run else 0
    return {
        "stem": _stem(subject),
        "command": shlex.join([*(command or _command(subject)), "-o", as_word(f"{_stem(subject)}.xml")]),
        "own_templates": not command and _more_than_words(subject),
        "how_to_use": how_to_use(network),
        "sample_values": values if len(values) <= _WRITTEN_OUT else [],
        "expected_ends": ends_of(subject)[0, :_WRITTEN_OUT].tolist(),
        "t_end": duration,
        "script": "\n".join(_script(network, _stem(subject), values, duration)),
    }


def _command(subject: Case) -> list[str]:
    """The words of what writes the file of this chemistry, but for a configuration, of which no file is known."""
    recipe, options, words = subject.reactions.recipe, subject.options, ["nn2crn", "compile", as_word(subject.model)]
    words += [w for name, variant in options.variants.items() for w in ("--activation", f"{name}={variant}")]
    words += [w for name, value in options.settings.items() for w in ("--set", f"{name}={float(value)!r}")]
    from_files = [t for t in options.library.own if t.origin != PYTHON]
    words += [w for template in from_files for w in ("--template", template.file)]
    if recipe:
        words += [w for o in recipe.outputs for w in ("--output", o)] if subject.model.endswith(".onnx") else []
        words += [w for n, (a, b) in recipe.domain.items() for w in ("--domain", f"{n}={a!r}:{b!r}")]
        words += [w for step in recipe.compression if step.startswith("--") for w in step.split(" ", 1)]
        words += ["--encoding", recipe.encoding] if recipe.encoding != Options().encoding else []
        words += ["--reduce", recipe.reduce] if recipe.reduce else []
        words += ["--max-products", str(recipe.max_products)] if recipe.max_products else []
    return words


def _more_than_words(subject: Case) -> bool:
    """True if Python was given what takes a file on the command line: a configuration, a template's text, samples."""
    options, recipe = subject.options, subject.reactions.recipe
    steps = recipe.compression if recipe else ()
    samples = any("cosine" in s or not s.startswith(("--prune ", "--quantize ")) for s in steps)
    return samples or bool(options.choices or options.layers) or any(t.origin == PYTHON for t in options.library.own)


def _script(network: ReactionNetwork, stem: str, values: list[float], duration: int) -> Iterator[str]:
    """Sets the inputs in roadrunner, runs the file, and reads the outputs."""
    ids = make_ids(network)
    yield "import roadrunner"
    yield ""
    yield f"chemistry = roadrunner.RoadRunner({json.dumps(f'{stem}.xml', ensure_ascii=False)})"
    given = repr(values) if len(values) <= _WRITTEN_OUT else f"[0.0] * {len(values)}  # your sample"
    yield f"sample = {given}"
    names = [f'"{name}"' for port in ids.inputs for name in port]
    yield f"for name, value in zip({_listed(names)}, sample):"
    yield "    chemistry[name] = value"
    if any(not port.held for port in network.inputs):
        yield "chemistry.reset()  # the start: reactions consume the inputs"
    yield f"chemistry.simulate(0, {duration})"
    outputs = [f'"{name}"' for port in ids.outputs for name in port]
    yield f"print([float(chemistry[name]) for name in {_listed(outputs)}])"


def _listed(names: list[str]) -> str:
    """The names, or, of many, those of a pattern: ids are a stem and a number."""
    stem = names[0].strip('"').rpartition("_")[0]
    if len(names) > 1 and names == [f'"{stem}_{i}"' for i in range(len(names))]:
        return f'[f"{stem}_{{i}}" for i in range({len(names)})]'
    return f"[{', '.join(names)}]"


def _stem(subject: Case) -> str:
    stem = Path(subject.model).stem
    return subject.reactions.name if stem in ("", "-") else stem


def made_with(network: ReactionNetwork) -> dict[str, Any]:
    """Versions, the model, and the choices that made the chemistry: the record that written files carry."""
    record = show_record(network, {})
    return {
        "version": __version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "sha256": network.source,
        "record": json.loads(record) if record else None,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

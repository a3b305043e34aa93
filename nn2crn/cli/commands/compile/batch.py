"""Many models in one call: each is compiled, and those that fail are named and keep none of the others back."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from nn2crn.backends.format import Format
from nn2crn.backends.registry import format_of, formats
from nn2crn.cli.console import show_json, table
from nn2crn.engines.cluster import Cluster
from nn2crn.errors import Nn2crnError, OutputError, UsageError

One = Callable[[str, tuple[str, ...]], "Outcome"]  # compiles a model to its files


@dataclass(frozen=True)
class Outcome:
    """The outcome for a model: the files written, the counts and remarks; or the error."""

    model: str
    files: tuple[str, ...] = ()
    species: int | None = None
    reactions: int | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


def refused(model: str, error: Exception) -> Outcome:
    """Describe a model that could not be compiled; an error that is not deliberate is a defect, or lack of memory."""
    if isinstance(error, Nn2crnError):
        said = {"code": error.code, "message": error.message, "hint": error.hint}
    elif isinstance(error, MemoryError):
        said = {"code": "size", "message": "there is not enough memory", "hint": "give another --max-memory"}
    else:
        what = f"this is a defect of nn2crn: {type(error).__name__}: {error}"
        said = {"code": "defect", "message": what, "hint": "compile it alone with --debug, and please report it"}
    return Outcome(model, error=said)


def folder_of(targets: Sequence[str]) -> Path:
    """The folder that many models are written to, made if it is not there.

    Raises:
        UsageError: -o names none, or more than one.
        OutputError: it cannot be made.
    """
    if len(targets) != 1 or targets[0] == "-" or (Path(targets[0]).suffix and not Path(targets[0]).is_dir()):
        raise UsageError("several models are written to one folder", hint="name it: -o out/")
    return _made(Path(targets[0]))


def names_folder(targets: Sequence[str]) -> bool:
    """True if -o ends with a slash, or is a folder not called like a file: a pattern may have found one model only."""
    if len(targets) != 1 or targets[0] == "-":
        return False
    like_a_file = targets[0].endswith(tuple(s for f in formats() for s in f.suffixes))
    return targets[0].endswith(("/", os.sep)) or (not like_a_file and _is_folder(targets[0]))


def _is_folder(target: str) -> bool:
    """True if it is a folder; a target that cannot be looked at is refused when it is planned."""
    try:
        return Path(target).is_dir()
    except OSError:
        return False


def files_in(folder: str, model: str, formats: Sequence[Format]) -> tuple[str, ...]:
    """Where one model goes in a folder, which is made if it is not there.

    Raises:
        OutputError: it cannot be made.
    """
    made, stem = _made(Path(folder)), "stdin" if model == "-" else Path(model).stem
    return tuple(str(made / (stem + f.suffixes[0])) for f in formats)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"cannot make the folder {folder}: {e.strerror}") from None
    return folder


def files_of(models: Sequence[str], folder: Path, formats: Sequence[Format]) -> dict[str, tuple[str, ...]]:
    """Where each model goes: its stem in the folder, with the suffix of each format.

    Raises:
        UsageError: two models would be one file, or a model is standard input.
    """
    if "-" in models:
        raise UsageError("standard input is one model", hint="name files, or compile it alone")
    stems = Counter(Path(m).stem for m in models)
    for stem, count in stems.items():
        if count > 1:
            both = " and ".join(m for m in models if Path(m).stem == stem)
            raise UsageError(f"{both} would both be {folder / stem}", hint="compile them into two folders")
    return {m: tuple(str(folder / (Path(m).stem + f.suffixes[0])) for f in formats) for m in models}


@dataclass(frozen=True)
class _Compiling:
    """The task of a cluster's worker for each model."""

    one: One

    def ready(self) -> One:
        return self.one


def _compiled(one: One, model: tuple[str, tuple[str, ...]]) -> Outcome:
    return one(*model)


def run(work: Mapping[str, tuple[str, ...]], one: One, jobs: int, cluster: Cluster | None = None) -> Iterator[Outcome]:
    """Compiles the models, in their order, with a bar on a terminal.

    Args:
        work: the files of each model.
        one: compiles a model to its files, and raises nothing.
        jobs: processes.
        cluster: whose workers do it instead, and see the same files.
    """
    if cluster:
        yield from cluster.map(_compiled, _Compiling(one), list(work.items()))
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=jobs, return_as="generator")
    with _bar(len(work)) as advance:
        for outcome in parallel(delayed(one)(model, files) for model, files in work.items()):
            advance(outcome.model)
            yield outcome


@contextmanager
def _bar(count: int) -> Iterator[Callable[[str], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("compiling", total=count)
        yield lambda model: progress.update(task, advance=1, description=model)


def show(outcomes: Sequence[Outcome], *, as_json: bool, quiet: bool = False) -> None:
    """A row per model unless it is `quiet`, and the errors of those that failed; or all of it as JSON."""
    failed = [o for o in outcomes if not o.ok]
    if as_json:
        models = [asdict(o) | {"ok": o.ok} for o in outcomes]
        show_json("compile", {"models": models, "failed": len(failed)})
        return
    rows: list[tuple[str, ...]] = [
        (o.model, ", ".join(o.files), str(o.species), str(o.reactions)) if o.ok else (o.model, "failed", "", "")
        for o in outcomes
    ]
    if not quiet:
        table(("model", "files", "species", "reactions"), rows, "<<>>")
    for o in failed:
        assert o.error is not None  # noqa: S101  # else it had not failed
        click.echo(f"{o.error['message']}" + f"\nhint: {o.error['hint']}" * bool(o.error["hint"]), err=True)
    if failed or not quiet:
        click.echo(f"{len(outcomes) - len(failed)} of {len(outcomes)} models are compiled", err=True)


def formats_named(names: Sequence[str], default: str) -> list[Format]:
    """The formats of all models: those that --to names, or the default."""
    return [format_of("", name) for name in names or (default,)]

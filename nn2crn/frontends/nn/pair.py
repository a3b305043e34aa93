"""The two files of a network in the network language: the text, and beside it the .npz of its weights."""

from __future__ import annotations

from pathlib import Path

from nn2crn.errors import OutputError, UsageError
from nn2crn.files.atomic import is_there


def weights_of(text: str | Path) -> Path:
    """Return the .npz beside a text.

    Raises:
        UsageError: the text does not end in .nn.
    """
    path = Path(text)
    if path.suffix != ".nn":
        raise UsageError(f"{text}: a network is written as a .nn file", hint="for instance: -o model.nn")
    return path.with_suffix(".npz")


def refuse_foreign_weights(text: str | Path) -> None:
    """Refuse to overwrite an .npz that is not the weights of a text that is there.

    Raises:
        UsageError: the text does not end in .nn.
        OutputError: there is such an .npz.
    """
    weights = weights_of(text)
    if is_there(weights) and not is_there(Path(text)):
        raise OutputError(f"{weights} is there already, and not as the weights of {text}", hint="give another -o")

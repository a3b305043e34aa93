"""A command line that is wrong is told like any other error: one message, and a way out."""

from __future__ import annotations

import json

import command_line
import pytest

WRONG = {
    "compile x.nn --logit": ("compile has no option --logit", "did you mean '--logits'? nn2crn compile --help"),
    "compile x.nn --for copassi": ("'copassi' is not one of 'copasi', 'tellurium'", "did you mean 'copasi'? nn2crn"),
    "verify x.nn --engine roadruner": ("'roadruner' is not one of", "did you mean 'roadrunner'? nn2crn verify --help"),
    "train d.csv": ("missing option '-o'", "nn2crn train --help lists the options"),
    "compile": ("missing argument 'MODELS...'", "nn2crn compile --help lists the options"),
    "certify x.nn --box": ("option '--box' requires an argument", ""),
    "--fast": ("nn2crn has no option --fast", "nn2crn --help lists the options"),
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage_is_told_as_other_errors_are(words, tmp_path):
    """It had click's own layout, of four lines, and named options that had little in common with what was written."""
    message, hint = WRONG[words]
    done = command_line.nn2crn(*words.split(), cwd=tmp_path)
    said, *more = done.stderr.splitlines()
    assert done.returncode == 2
    assert said.startswith("nn2crn: ")
    assert message in said
    assert bool(more) == bool(hint)
    assert all(line.startswith(f"hint: {hint}") for line in more)


def test_wrong_usage_is_json_where_that_was_asked_for(tmp_path):
    done = command_line.nn2crn("compile", "x.nn", "--logit", "--json", cwd=tmp_path)
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["message"]) == ("usage", "compile has no option --logit")
    assert error["hint"].startswith("did you mean '--logits'?")

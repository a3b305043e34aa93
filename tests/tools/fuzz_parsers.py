"""The parsers under atheris, which keeps what reaches new branches and changes it further.

    python tests/tools/fuzz_parsers.py [--runs N] [--seed S]

Every text is parsed or refused with an Nn2crnError; whatever else happens is kept in tests/regressions.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SEEDS = {".nn": ("samples/**/*.nn", "tests/regressions/*.nn"), ".act": ("nn2crn/templates/library/*.act",)}
COUNTED = ["nn2crn.notation", "nn2crn.frontends", "nn2crn.templates", "nn2crn.ir"]  # whose branches atheris counts


def parsers(folder: Path) -> dict[str, Callable[[str], object]]:
    """What reads each kind of file. No module of the compiler may have been imported before."""
    import atheris

    with atheris.instrument_imports(include=COUNTED):
        from nn2crn.frontends.nn.reader import parse_network
        from nn2crn.templates.gadget import instantiate
        from nn2crn.templates.parse import parse_template
    return {
        ".nn": lambda text: parse_network(text, "M.nn", folder, "M"),
        ".act": lambda text: instantiate(parse_template(text, "M.act"), {}),
    }


def fuzz(suffix: str, runs: int, seed: int, folder: Path) -> None:
    """Ends the process, with status 0 if nothing was found."""
    import atheris

    parse = parsers(folder)[suffix]
    from fuzz import MEMORY, REGRESSIONS, TOO_LONG
    from mutations import ROOT, corpus

    from nn2crn import memory
    from nn2crn.errors import Nn2crnError

    def one(data: bytes) -> None:
        text = data.decode("utf-8", errors="replace")
        try:
            parse(text)
        except Nn2crnError:
            pass
        except BaseException:
            name = f"atheris_{hashlib.sha256(data).hexdigest()[:8]}{suffix}"
            (REGRESSIONS / name).write_text(text, encoding="utf-8", newline="\n")
            raise

    memory.limit(MEMORY)
    seeds, words = folder / "seeds", folder / "words"
    seeds.mkdir()
    for number, data in enumerate(text for pattern in SEEDS[suffix] for text in corpus(pattern)):
        (seeds / str(number)).write_bytes(data)
    grammars = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "grammars").iterdir())
    words.write_text("".join(f'"{word}"\n' for word in sorted(set(re.findall(r'"([^"\\]+)"', grammars)))))
    limits = [f"-runs={runs}", f"-seed={seed + 1}", f"-timeout={TOO_LONG}", f"-rss_limit_mb={MEMORY // 10**6}"]
    atheris.Setup(
        [sys.argv[0], *limits, "-max_len=4000", f"-dict={words}", f"-artifact_prefix={folder}/", str(seeds)], one
    )
    atheris.Fuzz()


def main() -> None:
    """Fuzzes the parsers one after another, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=SEEDS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.only:
            fuzz(asked.only, asked.runs, asked.seed, Path(folder))
    again = [sys.executable, __file__, "--runs", str(asked.runs), "--seed", str(asked.seed), "--only"]
    sys.exit(max(subprocess.run([*again, suffix], check=False).returncode for suffix in SEEDS))


if __name__ == "__main__":
    main()

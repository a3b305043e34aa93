"""The documentation site: `make docs` builds it with Sphinx, and any warning is an error."""
# ruff: noqa: INP001  # Sphinx runs it

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from nn2crn.cli import COMMANDS
from nn2crn.version import __version__

project, author, release = "nn2crn", "The nn2crn authors", __version__
copyright = author  # noqa: A001  # as Sphinx calls it
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["**.ipynb_checkpoints"]
suppress_warnings = ["myst.strikethrough"]
highlight_language = "text"  # blocks without a language are sessions
nitpicky = False
smartquotes = False  # they make a dash of two hyphens, which options begin with

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_in_temp = True
nb_merge_streams = True

autodoc_member_order = "alphabetical"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"nn2crn {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_copy_source = False
html_use_index = True
html_show_search_summary = False  # pages opened as files may not fetch each other
copybutton_prompt_text = "$ "

# Where notebooks run: beside the samples, as in a clone, and not in the folder of the pages.
_FOLDER = Path(tempfile.mkdtemp(prefix="nn2crn-docs-"))
(_FOLDER / "samples").symlink_to(Path(__file__).parents[1] / "samples")
os.environ["NN2CRN_NOTEBOOKS"] = str(_FOLDER)
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where nn2crn is
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

# A page for each command, of its options as the program has them.
COMMAND_PAGES = Path(__file__).parent / "commands"


def _write_command_pages() -> None:
    COMMAND_PAGES.mkdir(exist_ok=True)
    for command, (module, _) in COMMANDS.items():
        text = f".. click:: nn2crn.cli.commands.{module}:{command}\n   :prog: nn2crn {command}\n"
        (COMMAND_PAGES / f"{command}.rst").write_text(text, encoding="utf-8")
    rows = "".join(f"- [nn2crn {name}]({name}.rst): {summary}\n" for name, (_, summary) in COMMANDS.items())
    names = "\n".join(COMMANDS)
    intro = "# Commands\n\nIn the order of a user's work. `nn2crn COMMAND --help` says the same.\n\n"
    toc = f"\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    (COMMAND_PAGES / "index.md").write_text(intro + rows + toc, encoding="utf-8")


_write_command_pages()

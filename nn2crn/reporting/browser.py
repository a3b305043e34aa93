"""PDF of a page, printed by a browser that is installed: Chromium or one of its kin, without a window."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO

from nn2crn.errors import OutputError, UsageError
from nn2crn.files.atomic import write_bytes

_NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)  # fmt: skip
_PATIENCE = 120  # seconds


def find_browser() -> str:
    """The browser's path.

    Raises:
        UsageError: there is none.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise UsageError(
            "a PDF is printed by Chromium, Chrome or Edge, and none of them is installed",
            hint="install Chromium (apt-get install chromium), or open the page in any browser and print it there",
        )
    return found


def print_pdf(page: str, path: Path) -> None:
    """Prints a page that is complete in itself.

    Raises:
        UsageError: no browser is installed.
        OutputError: the browser fails, or the file cannot be written.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "page.html", Path(folder) / "page.pdf"
        source.write_text(page, encoding="utf-8")
        options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile"]
        if os.name == "posix" and os.geteuid() == 0:  # Chromium's sandbox does not run as root
            options.append("--no-sandbox")
        command = [browser, *options, f"--print-to-pdf={made}", source.as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as e:
            raise OutputError(f"cannot print {path}: {browser}: {e}") from None
        if not made.exists():
            said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise OutputError(f"cannot print {path}: {browser} fails: {said}", hint="open the page, and print it there")
        content = made.read_bytes()

    def emit(out: BinaryIO) -> None:
        out.write(content)

    write_bytes(path, emit)

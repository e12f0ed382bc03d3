"""The virtual environment .venv that scripts/run, scripts/test and .ci/lint share. Python's standard library alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SUPPORTED = ((3, 11), (3, 12), (3, 13))  # what the embedded database has wheels for


def enter(*locks: str) -> None:
    """Go on in .venv, with what these lock files name installed; makes and mends it where needed.

    Args:
        locks: paths of requirements files, from the top folder.

    Ends the process with status 1 and one line where that cannot be done.
    """
    if os.name != "posix":
        sys.exit("gunicorn needs Linux or macOS: on Windows, use WSL, or docker compose up --build")
    if not PYTHON.exists():
        _make()
    _install(locks)
    if Path(sys.prefix) != VENV:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


def _make() -> None:
    names = [f"python{major}.{minor}" for major, minor in reversed(SUPPORTED)]
    found = sys.executable if sys.version_info[:2] in SUPPORTED else next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit(f"No {' or '.join(names)} here: install one of them, or use docker compose up --build")
    made = _run(found, "-m", "venv", "--clear", str(VENV))
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(
            f"{found} cannot make a virtual environment: install its venv module (Debian: apt install python3-venv)"
        )


def _install(locks: tuple[str, ...]) -> None:
    # A copy of each lock file stands for having installed it: what differs from its copy is not installed yet.
    copies = VENV / "installed"
    if all((copies / lock).exists() and (copies / lock).read_bytes() == (ROOT / lock).read_bytes() for lock in locks):
        return
    print(f"Installing {', '.join(locks)} into .venv …", file=sys.stderr, flush=True)
    files = [argument for lock in locks for argument in ("--requirement", str(ROOT / lock))]
    installed = _run(str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", *files)
    if installed.returncode != 0:
        said = [line for line in installed.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        sys.exit(f"Could not install the requirements ({said[-1]}): is the network there? Then start this again.")
    for lock in locks:
        (copies / lock).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / lock, copies / lock)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)

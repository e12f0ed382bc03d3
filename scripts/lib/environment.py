"""The virtual environment .venv that scripts/run, scripts/test and .ci/lint share.

They make it on their first start, and repair it if it has changed since. Any machine's python3 must be able to run
this file, so it needs only Python 3.9.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = VENV / "state.json"  # the state in which these scripts left .venv
PACKAGES = "lib/python*/site-packages"
OWN_PYTHON = VENV / "python"  # uv, and the Python that it downloads
ASK = "import sys; print('%d.%d' % sys.version_info[:2])"

DATABASE = "requirements-database.txt"
WITH_DATABASE = ("3.13", "3.12", "3.11")  # the embedded database has wheels for these
NEWER = tuple(f"3.{minor}" for minor in range(14, 20))  # the service also runs on these

# User settings that would make pip install something else, or elsewhere.
MISLEADING = ("PIP_DRY_RUN", "PIP_PREFIX", "PIP_PYTHON", "PIP_ROOT", "PIP_TARGET")
UNREACHABLE = re.compile("from versions: none|connection broken|Max retries|timed out|Connection ?Error")


def enter(*locks: str) -> None:
    """Continue in .venv, with the packages of these lock files installed.

    Args:
        locks: paths of requirements files, relative to the top folder.

    Ends the process with status 1 and a one-line message if that fails.
    """
    if os.name != "posix":
        sys.exit("gunicorn needs Linux or macOS: on Windows, use WSL, or docker compose up --build")
    for name in ("PYTHONHOME", "PYTHONPATH"):  # they would put other packages before those of .venv
        os.environ.pop(name, None)
    try:
        with _alone():
            made = _make(locks)
            _install(locks)
    except OSError as error:
        sys.exit(f"Could not set up .venv ({error}): remove the cause, then start this again")
    except KeyboardInterrupt:
        sys.exit(130)
    if made or not _inside():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep other scripts waiting until this block and every command started in it are done: they inherit the lock."""
    import fcntl  # not on Windows

    folder = os.open(ROOT, os.O_RDONLY)
    os.set_inheritable(folder, True)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("Waiting for another script that sets up .venv …")
                fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _make(locks: tuple[str, ...]) -> bool:
    """Make .venv if it is missing or unusable. Returns whether it was made."""
    problem = _problem(locks)
    if problem is None:
        return False
    if VENV.is_symlink() or (VENV.exists() and not _is_ours()):
        sys.exit(f".venv {problem}, and these scripts did not make it: move it away, then start this again")
    if _state():
        _say(f".venv {problem}: making it again")
    python = _find_python(locks)
    VENV.mkdir(exist_ok=True)
    _save({"ours": True, "path": str(VENV.resolve())})  # first, so that an interrupted .venv is still ours
    for path in VENV.iterdir():
        if path not in (STATE, OWN_PYTHON):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    made = _run(python, "-m", "venv", "--without-pip", str(VENV))
    if made.returncode != 0:
        sys.exit(f"Could not make .venv ({_reason(made)}): remove the cause, then start this again")
    return True


def _problem(locks: tuple[str, ...]) -> str | None:
    """Why .venv cannot be used, worded to follow its name in a message; None if it can be used."""
    if not VENV.is_dir():
        return "is no folder"
    state = _state()
    if state.get("path", str(VENV.resolve())) != str(VENV.resolve()):
        return f"was made in {Path(state['path']).parent}"
    version = _version()
    if version is None:
        return "has no Python that works"
    if state.get("python", version) != version:
        return f"was made by Python {state['python']}, which is {version} now"
    if not _fits(version, locks):
        return f"has Python {version}, not {_wanted(locks)}"
    return None


def _is_ours() -> bool:
    # It is also ours to replace if it holds no package that anybody could miss.
    return VENV.is_dir() and ("ours" in _state() or all(re.match("pip-|setuptools-", name) for name in _packages()))


def _inside() -> bool:
    return Path(sys.prefix).resolve() == VENV.resolve()


def _version() -> str | None:
    """The version of .venv's Python; None if it does not run, or belongs to another folder."""
    with contextlib.suppress(OSError, ValueError):
        version, prefix = _run(str(PYTHON), "-c", ASK + "; print(sys.prefix)").stdout.splitlines()
        if Path(prefix).resolve() == VENV.resolve():
            return version
    return None


def _fits(version: str, locks: tuple[str, ...]) -> bool:
    return version in WITH_DATABASE or (DATABASE not in locks and version in NEWER)


def _wanted(locks: tuple[str, ...]) -> str:
    return f"{WITH_DATABASE[-1]} to {WITH_DATABASE[0]}" if DATABASE in locks else f"{WITH_DATABASE[-1]} or newer"


def _find_python(locks: tuple[str, ...]) -> str:
    names = [f"python{version}" for version in WITH_DATABASE + NEWER]
    own = [str(path) for path in OWN_PYTHON.glob("cpython-3.13*/bin/python3.13")]
    first = str(Path(sys.executable).resolve()) if _inside() else sys.executable
    incomplete = None
    for python in filter(None, [first, *map(shutil.which, names), *own]):
        if _fits(_run(python, "-c", ASK).stdout.strip(), locks):
            if _has_venv(python):
                return python
            incomplete = incomplete or python
    if not (_has_venv(sys.executable) or shutil.which("uv")):
        lacks = incomplete or sys.executable
        sys.exit(
            f"{lacks} cannot make a virtual environment: install its venv module (Debian: apt install {Path(lacks).name}-venv)"
        )
    return _get_python(locks)


def _has_venv(python: str) -> bool:
    return _run(python, "-c", "import ensurepip, venv").returncode == 0


def _get_python(locks: tuple[str, ...]) -> str:
    _say(f"No Python {_wanted(locks)} here: getting 3.13 into .venv, with uv …")
    own = OWN_PYTHON / "uv"
    uv = shutil.which("uv")
    commands: list[tuple[str, ...]] = [
        (uv or str(own / "bin/uv"), "python", "install", "--no-bin", f"--install-dir={OWN_PYTHON}", "3.13")
    ]
    if uv is None:
        commands[:0] = [
            (sys.executable, "-m", "venv", str(own)),
            _pip_install(own / "bin/python", "requirements-uv.txt"),
        ]
    for command in commands:
        done = _run(*command)
        if done.returncode != 0:
            choices = f"install Python {_wanted(locks)}, or use docker compose up --build"
            if DATABASE in locks:
                choices += ", or set DATABASE_URL (for scripts/test: TEST_DATABASE_URL) to a MongoDB of yours"
            sys.exit(f"Could not get Python 3.13 ({_reason(done)}): {choices}")
    return str(next(OWN_PYTHON.glob("cpython-3.13*/bin/python3.13")))


def _install(locks: tuple[str, ...]) -> None:
    state, here = _state(), _packages()
    if not here.issuperset(state.get("packages", ())):  # the user removed or replaced packages
        state["locks"] = {}
    wanted = {lock: hashlib.sha256((ROOT / lock).read_bytes()).hexdigest() for lock in locks}
    installed = state.get("locks", {})
    if wanted.items() <= installed.items():
        return
    _say(f"Installing {', '.join(locks)} into .venv …")
    for metadata in VENV.glob(f"{PACKAGES}/*.dist-info"):
        if not (metadata / "INSTALLER").exists():  # pip was interrupted, but would count this package as installed
            shutil.rmtree(metadata)
    if _run(str(PYTHON), "-m", "pip", "--version").returncode != 0:
        for metadata in VENV.glob(f"{PACKAGES}/pip-*.dist-info"):
            shutil.rmtree(metadata)
    commands = [_pip_install(PYTHON, *locks)]
    if not any(VENV.glob(f"{PACKAGES}/pip-*.dist-info")):
        commands.insert(0, (str(PYTHON), "-m", "ensurepip", "--default-pip"))
    for command in commands:
        done = _run(*command)
        if done.returncode != 0:
            cure = "is the network there? Then" if UNREACHABLE.search(done.stderr) else "remove the cause, then"
            sys.exit(f"Could not install the requirements ({_reason(done)}): {cure} start this again")
    state = {**state, "path": str(VENV.resolve()), "python": _version(), "locks": {**installed, **wanted}}
    _save({**state, "packages": sorted(_packages())})


def _pip_install(python: Path, *locks: str) -> tuple[str, ...]:
    files = [f"--requirement={ROOT / lock}" for lock in locks]
    return (str(python), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", *files)


def _packages() -> set[str]:
    """The packages that are completely installed, such as 'flask-3.1.3.dist-info'."""
    return {path.parent.name for path in VENV.glob(f"{PACKAGES}/*.dist-info/INSTALLER")}


def _state() -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        state: dict[str, Any] = json.loads(STATE.read_text())
        return state
    return {}


def _save(state: dict[str, Any]) -> None:
    new = STATE.with_suffix(".new")
    new.write_text(json.dumps(state, indent=1))
    new.replace(STATE)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    environment["PIP_USER"] = "0"  # pip's configuration may set it
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False, close_fds=False
    )


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of a command's output that begins with "error", otherwise its last line."""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return [f"status {done.returncode}", *lines, *errors][-1]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

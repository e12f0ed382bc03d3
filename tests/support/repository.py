"""This repository, and its copies."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
NAME = "flask-mongo-app"  # the token that every name comes from

need_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git, as in the container for tests")


def copy_repository(folder: Path, name: str = NAME) -> None:
    """Copy the files of this repository, changes that are not committed yet included, with another name in them."""
    listing = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, check=True, capture_output=True, text=True).stdout
    for file in filter(None, listed.split("\0")):
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
            content = (folder / file).read_bytes()
            if name != NAME and NAME.encode() in content:
                (folder / file).write_bytes(content.replace(NAME.encode(), name.encode()))
    folder.chmod(0o755)  # as a clone is: the containers' user reads it

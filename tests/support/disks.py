"""Small disks, to be filled."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of this size on a new folder; skips the test where none can be mounted."""
    folder.mkdir()
    privileged = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    mount = [*privileged, "mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no disk can be mounted")
    try:
        yield folder
    finally:
        subprocess.run([*privileged, "umount", folder], check=True)

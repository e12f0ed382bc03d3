"""Environments that tests start programs in."""

import os
from pathlib import Path

# What somebody's shell may have, and none of our programs may depend on. Nothing listens on port 9.
PROXIES = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
PROXIES |= {"no_proxy": "", "NO_PROXY": ""}
HOSTILE = PROXIES | {
    "CDPATH": ".:/tmp:/",
    "GREP_COLOR": "1;31",
    "GREP_COLORS": "mt=1;31",
    "GREP_OPTIONS": "--color=always",
    "GZIP": "--verbose",
    "IFS": "0123456789",
    "LS_COLORS": "di=1",
    "POSIXLY_CORRECT": "1",
    "PYTHONSAFEPATH": "1",
    "TAR_OPTIONS": "--verbose",
}


def clean_environment(**settings: str) -> dict[str, str]:
    """This process's environment without its settings of the service, plus those given; the service reads no .env."""
    from service.settings import Settings

    ours = {name for field in Settings.model_fields for name in (field.upper(), f"{field.upper()}_FILE")}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"PYTHON_DOTENV_DISABLED": "1", "PYTHONUNBUFFERED": "1"} | settings


def path_without_docker(folder: Path) -> str:
    """A PATH with all commands of this machine but docker: links in a new folder."""
    folder.mkdir()
    for path in filter(Path.is_dir, map(Path, os.environ["PATH"].split(os.pathsep))):
        for command in path.iterdir():
            if command.name != "docker" and not (folder / command.name).is_symlink():  # the first one counts
                (folder / command.name).symlink_to(command)
    return str(folder)

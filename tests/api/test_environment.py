"""The virtual environment that the scripts share: whatever state it is in, they repair it or say what to do."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import ended
from tests.support.repository import ROOT
from tests.support.waiting import LIMIT, wait_for

BASE = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"
SCRIPT = """\
import sys
from lib.environment import enter
enter(*sys.argv[1:])
import alpha
print(sys.prefix)
"""


class Project:
    """A project with these scripts, whose requirements are one package without an index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        self.environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        (folder / "scripts/lib").mkdir(parents=True)
        for file in ("__init__.py", "environment.py"):
            shutil.copy2(ROOT / "scripts/lib" / file, folder / "scripts/lib")
        (folder / "scripts" / "start").write_text(SCRIPT)
        wheel = folder / "alpha-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("alpha.py", "")
            archive.writestr("alpha-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: alpha\nVersion: 1.0\n")
            archive.writestr(
                "alpha-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr("alpha-1.0.dist-info/RECORD", "")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self.lock = folder / "requirements.txt"
        self.lock.write_text(f"alpha @ {wheel.as_uri()} --hash=sha256:{digest}\n")

    def command(self, *locks: str, python: Path = BASE) -> list[str]:
        return [str(python), str(self.folder / "scripts" / "start"), *(locks or ["requirements.txt"])]

    def start(self, *locks: str, python: Path = BASE, **variables: str) -> str:
        """Start the script, which must come to its end in .venv; returns what it said before."""
        done = self.run(*locks, python=python, **variables)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{self.venv}\n"
        return done.stderr

    def refusal(self, *locks: str, python: Path = BASE, **variables: str) -> str:
        """Start the script, which must end with status 1; returns its last line."""
        done = self.run(*locks, python=python, **variables)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()[-1]

    def run(self, *locks: str, python: Path = BASE, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*locks, python=python),
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def replace(self, old: str, new: str) -> None:
        """Change the script that all others share."""
        file = self.folder / "scripts/lib/environment.py"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def site_packages(self) -> Path:
        return next(self.venv.glob("lib/python*/site-packages"))

    def plant(self, name: str) -> Path:
        """A package that somebody has installed by hand."""
        metadata = self.site_packages() / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "INSTALLER").write_text("pip\n")
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        return metadata

    def theirs(self) -> None:
        """A virtual environment without pip and with a package, as `uv venv` and `uv pip install` make it."""
        subprocess.run([BASE, "-m", "venv", "--without-pip", self.venv], check=True)
        self.plant("beta")


@pytest.fixture
def project(tmp_path) -> Project:
    return Project(tmp_path / 'it\'s a "clone"')


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """A project that was started once."""
    project = Project(tmp_path_factory.mktemp("finished") / "clone")
    assert project.start() == "Installing requirements.txt into .venv …\n"
    return project


@pytest.fixture
def made(finished, tmp_path) -> Project:
    """A project as it is after a first start."""
    project = Project(tmp_path / "clone")
    shutil.copytree(finished.venv, project.venv, symlinks=True)
    state = json.loads((project.venv / "state.json").read_text())
    (project.venv / "state.json").write_text(json.dumps(state | {"path": str(project.venv)}))
    shutil.copy2(finished.lock, project.lock)
    return project


def test_a_second_start_has_nothing_to_do(made):
    assert made.start() == ""
    assert made.start(python=made.venv / "bin/python") == ""


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("bin", signal.SIGKILL),
        ("lib/python*/site-packages/pip", signal.SIGINT),
        ("lib/python*/site-packages/pip-*/INSTALLER", signal.SIGKILL),
    ],
)
def test_an_interrupted_start_is_made_good_by_the_next_one(project, moment, number):
    with (project.folder / "log").open("w") as log:
        process = subprocess.Popen(
            project.command(), env=project.environment, stdout=log, stderr=log, start_new_session=True
        )
    with ended(process):
        said = (project.folder / "log").read_text
        wait_for(lambda: [*project.venv.glob(moment)], moment)
        process.send_signal(number)
        assert process.wait(LIMIT) == (130 if number == signal.SIGINT else -number)
    assert "Traceback" not in said()
    assert "Installing requirements.txt into .venv …" in project.start()
    assert project.start() == ""


def test_one_of_two_starts_waits_for_the_other(project):
    both = [
        subprocess.Popen(project.command(), env=project.environment, stdout=-1, stderr=-1, text=True) for _ in range(2)
    ]
    said = "".join(process.communicate(timeout=LIMIT)[1] for process in both)
    assert "Waiting for another script that sets up .venv …\n" in said
    assert said.count("Installing") == 1
    assert [process.returncode for process in both] == [0, 0]


def test_an_environment_of_yours_is_used_and_keeps_its_packages(project):
    project.theirs()
    assert project.start() == "Installing requirements.txt into .venv …\n"
    assert (project.site_packages() / "beta-1.0.dist-info").exists()


def test_an_environment_of_yours_that_cannot_be_used_is_left_alone(project):
    project.theirs()
    (project.venv / "bin/python").unlink()
    cure = "and these scripts did not make it: move it away, then start this again"
    assert project.refusal() == f".venv has no Python that works, {cure}"
    assert (project.site_packages() / "beta-1.0.dist-info").exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_venv_that_is_no_folder_is_left_alone(project, kind):
    if kind == "file":
        project.venv.write_text("mine")
    else:
        project.venv.symlink_to("nowhere")
    assert project.refusal().startswith(".venv is no folder, and these scripts did not make it: move it away")
    assert project.venv.is_symlink() or project.venv.read_text() == "mine"


def test_an_environment_that_was_moved_is_made_again(made):
    moved = made.folder.rename(made.folder.with_name("moved"))
    made.folder, made.venv = moved, moved / ".venv"
    assert made.start().startswith(f".venv was made in {moved.with_name('clone')}: making it again\n")


@pytest.mark.parametrize("loss", ["removed", "replaced", "half", "pip"])
def test_what_is_not_there_any_more_is_installed_again(made, loss):
    metadata = made.site_packages() / "alpha-1.0.dist-info"
    if loss == "pip":
        shutil.rmtree(made.site_packages() / "pip")
    (made.site_packages() / "alpha.py").unlink()
    if loss == "half":  # pip writes INSTALLER last
        (metadata / "INSTALLER").unlink()
    elif loss == "replaced":
        older = metadata.rename(metadata.with_name("alpha-0.9.dist-info"))
        (older / "METADATA").write_text("Metadata-Version: 2.1\nName: alpha\nVersion: 0.9\n")
    else:
        shutil.rmtree(metadata)
    assert made.start() == "Installing requirements.txt into .venv …\n"
    assert made.start() == ""


def test_settings_of_the_user_lead_nowhere_else(made, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "alpha.py").write_text("raise SystemExit('another alpha')")
    shutil.rmtree(made.site_packages() / "alpha-1.0.dist-info")
    (made.site_packages() / "alpha.py").unlink()
    names = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH")
    switches = dict.fromkeys(("PIP_USER", "PIP_DRY_RUN", "PIP_REQUIRE_VIRTUALENV"), "1")
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    made.start(**dict.fromkeys(names, str(elsewhere)), **switches, PIP_CONFIG_FILE=str(tmp_path / "pip.conf"))
    assert (made.site_packages() / "alpha.py").exists()


def test_the_network_is_suspected_only_where_pip_does_not_get_through(made):
    made.lock.write_text(f"gamma==1.0 --hash=sha256:{'0' * 64}\n")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    said = made.refusal(**nowhere, PIP_NO_CACHE_DIR="1")
    assert said.startswith("Could not install the requirements (ERROR: No matching distribution found for gamma==1.0")
    assert said.endswith("): is the network there? Then start this again")

    wheel = next(made.folder.glob("*.whl")).as_uri()
    made.lock.write_text(f"alpha @ {wheel} --hash=sha256:{'0' * 64}\n")
    assert made.refusal().endswith("): remove the cause, then start this again")


def bare_path(folder: Path, **commands: str) -> str:
    """A PATH with these commands, each a shell script, and no Python."""
    folder.mkdir()
    for name, script in commands.items():
        (folder / name).write_text(f"#!/bin/bash\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


OLD_PYTHON = """
case "$*" in *version_info*) echo 3.9; exit ;; esac
PYTHONHOME={home} exec -a "$0" {python} "$@"
"""
GET_PYTHON = """
case "$*" in *--install-dir=*) ;; *) exit 2 ;; esac
folder=${4#--install-dir=}/cpython-3.13.99-linux/bin
/bin/mkdir -p "$folder" && /bin/ln -s {python} "$folder/python3.13"
"""


@pytest.fixture
def old(tmp_path) -> Path:
    """Stands in for a Python 3.9, which is all that the machine has."""
    path = bare_path(tmp_path / "old", python3=OLD_PYTHON.format(home=sys.base_prefix, python=BASE))
    return Path(path) / "python3"


def test_without_a_python_that_fits_uv_gets_one(project, old, tmp_path):
    path = bare_path(tmp_path / "uv", uv=GET_PYTHON.replace("{python}", str(BASE)))
    said = project.start(python=old, PATH=path)
    announced = "No Python 3.11 or newer here: getting 3.13 into .venv, with uv …\n"
    assert said == f"{announced}Installing requirements.txt into .venv …\n"
    assert (project.venv / "bin/python").resolve() == BASE.resolve()


def test_where_no_python_can_be_had_it_names_the_choices(project, old, tmp_path):
    path = bare_path(tmp_path / "uv", uv="echo 'error: Failed' >&2; echo '  cause: no route' >&2; exit 1")
    failed = "Could not get Python 3.13 (error: Failed): install Python "
    shutil.copy2(project.lock, project.folder / "requirements-database.txt")
    assert project.refusal("requirements-database.txt", python=old, PATH=path) == (
        f"{failed}3.11 to 3.13, or use docker compose up --build, "
        "or set DATABASE_URL (for scripts/test: TEST_DATABASE_URL) to a MongoDB of yours"
    )
    assert project.refusal(python=old, PATH=path) == f"{failed}3.11 or newer, or use docker compose up --build"


def test_a_python_without_its_venv_module_is_named(project, tmp_path):
    lacking = 'case "$*" in *ensurepip*) exit 1 ;; esac\n' + OLD_PYTHON.format(home=sys.base_prefix, python=BASE)
    path = bare_path(tmp_path / "lacking", python3=lacking)
    assert project.refusal(python=Path(path) / "python3", PATH=path) == (
        f"{path}/python3 cannot make a virtual environment: install its venv module (Debian: apt install python3-venv)"
    )


def test_where_its_python_is_too_new_for_the_database_it_stays_until_there_is_another(made, tmp_path):
    lock = Path(shutil.copy2(made.lock, made.folder / "requirements-database.txt")).name
    minor = sys.version_info[1]
    made.replace('WITH_DATABASE = ("3.13", "3.12", "3.11")', f'WITH_DATABASE = ("3.{minor + 1}",)')
    made.replace("range(14, 20)", f"range({minor}, 20)")
    assert made.start() == ""
    done = made.run(lock, PATH=bare_path(tmp_path / "uv", uv="exit 1"))
    assert done.stderr.startswith(f".venv has Python 3.{minor}, not 3.{minor + 1} to 3.{minor + 1}: making it again\n")
    assert done.returncode == 1
    assert made.start() == ""


@pytest.mark.parametrize("change", ["gone", "another"])
def test_an_environment_whose_python_is_not_that_of_before_is_made_again(made, old, tmp_path, change):
    if change == "gone":
        (made.venv / "bin/python").unlink()
        (made.venv / "bin/python").symlink_to("/nowhere/bin/python3")
        problem = "has no Python that works"
    else:
        state = made.venv / "state.json"
        state.write_text(json.dumps(json.loads(state.read_text()) | {"python": "3.2"}))
        problem = f"was made by Python 3.2, which is 3.{sys.version_info[1]} now"
    done = made.run(python=old, PATH=bare_path(tmp_path / "uv", uv="exit 1"))  # what comes next is tested above
    assert done.stderr.startswith(f".venv {problem}: making it again\nNo Python ")
    assert made.site_packages().exists()  # still there: it is not cleared before there is another Python

"""The file .env: Compose reads what scripts/run and scripts/doctor read."""

import json
import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest
from lib import env_file

from tests.support.docker import docker
from tests.support.env_files import CHANGED, TAKEN
from tests.support.repository import ROOT

NAMES = ("GREETING", "API_TOKEN", "PORT")


@pytest.fixture
def project(tmp_path):
    """A folder with a Compose file that takes the settings from .env."""
    service = {"image": "mongo:8.0", "environment": dict.fromkeys(NAMES)}
    (tmp_path / "compose.yml").write_text(json.dumps({"services": {"app": service}}))
    (tmp_path / ".env.example").write_text("".join(f"{name}=x\n" for name in NAMES))
    return tmp_path


def compose_reads(project):
    """The values that Compose would give to a container."""
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = docker("compose", "config", "--format", "json", cwd=project, env=environment, check=False)
    if done.returncode != 0:
        return None
    values = json.loads(done.stdout)["services"]["app"]["environment"]
    return {name: value.replace("$$", "$") for name, value in values.items() if value is not None}


def doctor_reads(project):
    """The values that the doctor takes."""
    loader = SourceFileLoader("doctor", str(ROOT / "scripts/doctor"))
    doctor = module_from_spec(spec_from_loader("doctor", loader))
    loader.exec_module(doctor)
    doctor.ROOT = project
    settings = doctor.Settings()
    return None if settings.refused else settings.own


@pytest.mark.parametrize(("content", "values"), TAKEN)
def test_all_read_the_same(project, content, values):
    (project / ".env").write_bytes(content)
    assert compose_reads(project) == doctor_reads(project) == env_file.read(project / ".env") == values


@pytest.mark.parametrize("content", [CHANGED[0], b"GREETING=Gr\xfc\xdfe"])
def test_what_is_refused_would_be_changed_by_compose(project, content):
    (project / ".env").write_bytes(content)
    assert compose_reads(project)["GREETING"].encode() != content.partition(b"=")[2]
    assert doctor_reads(project) is None


def test_an_empty_port_is_a_mistake_for_compose_too():
    done = docker("compose", "config", "--quiet", cwd=ROOT, env=os.environ | {"PORT": ""}, check=False)
    assert done.returncode != 0
    assert "port" in done.stderr

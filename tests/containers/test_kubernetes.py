"""The manifests in deploy/kubernetes: the same as in compose.production.yml, and really run as pods. No cluster runs
here; .ci/lint checks the manifests against Kubernetes' schemas.
"""

import json
import subprocess
from collections.abc import Callable

import pytest
import yaml

from tests.support.docker import docker
from tests.support.repository import ROOT
from tests.support.waiting import wait_for

UNITS = {"m": 2**20, "Mi": 2**20, "Gi": 2**30}
OWNERS = {"app": "base/deployment.yaml", "mongodb": "with-mongodb/stateful-set.yaml"}
TOKEN = "a-token-for-this-test-and-no-other"  # noqa: S105


def size(text: str) -> int:
    """The bytes in 16m (of Compose) or 16Mi (of Kubernetes)."""
    number = text.rstrip("miMGB")
    return int(number) * UNITS[text.removeprefix(number)]


@pytest.fixture(scope="module")
def services(project) -> dict[str, dict]:
    """The services of production, with the default settings."""
    del project.environment["PORT"]
    files = ("--file=docker-compose.yml", "--file=compose.production.yml")
    return json.loads(project.compose(*files, "config", "--format", "json").stdout)["services"]


@pytest.fixture(scope="module")
def pods(project) -> dict[str, dict]:
    """The pods' specifications in the manifests."""
    folder = project.folder / "deploy/kubernetes"
    return {
        name: yaml.safe_load((folder / file).read_text())["spec"]["template"]["spec"] for name, file in OWNERS.items()
    }


@pytest.mark.parametrize("name", OWNERS)
def test_image_limits_and_rights_are_those_of_production(services, pods, name):
    service, pod = services[name], pods[name]
    [container] = pod["containers"]
    assert container["image"] == service["image"]
    limits = container["resources"]["limits"]
    assert (size(limits["memory"]), float(limits["cpu"])) == (int(service["mem_limit"]), float(service["cpus"]))
    assert container["securityContext"]["readOnlyRootFilesystem"] == service["read_only"]
    assert container["securityContext"]["capabilities"]["drop"] == service["cap_drop"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    [tmpfs] = service["tmpfs"]
    [tmp] = [volume["emptyDir"] for volume in pod["volumes"] if volume["name"] == "tmp"]
    assert (size(tmp["sizeLimit"]), tmp["medium"]) == (size(tmpfs.removeprefix("/tmp:size=")), "Memory")  # noqa: S108
    assert f"{pod['terminationGracePeriodSeconds']}s" == service["stop_grace_period"]


@pytest.mark.parametrize("name", OWNERS)
def test_settings_are_those_of_production(services, pods, name):
    given = {variable["name"]: variable["value"] for variable in pods[name]["containers"][0]["env"]}
    theirs = services[name]["environment"]
    assert given.keys() <= theirs.keys()
    assert {key: value for key, value in theirs.items() if value is not None}.items() <= given.items()


def test_users_and_ports_are_those_of_the_images(project, services, pods):
    [user] = [line for line in (project.folder / "Dockerfile").read_text().splitlines() if line.startswith("USER")][-1:]
    assert user == f"USER {pods['app']['securityContext']['runAsUser']}"
    mongodb = pods["mongodb"]["securityContext"]
    assert f"{mongodb['runAsUser']}:{mongodb['runAsGroup']}" == services["mongodb"]["user"]
    [port] = pods["app"]["containers"][0]["ports"]
    assert port["containerPort"] == 3000
    base = (project.folder / "docker-compose.yml").read_text()
    assert f"mongodb:{pods['mongodb']['containers'][0]['ports'][0]['containerPort']}/{project.name}\n" in base


# --- Really run ------------------------------------------------------------------------------------------------------


def pod(owner: dict, **changes: object) -> dict:
    """The pod that Kubernetes would make of a Deployment or a StatefulSet, of which Podman knows only the former."""
    template = owner["spec"]["template"]
    claims = [claim["metadata"]["name"] for claim in owner["spec"].get("volumeClaimTemplates", [])]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    template["spec"]["volumes"] += volumes
    template["spec"]["containers"][0] |= {"imagePullPolicy": "Never"} | changes
    metadata = {"name": owner["metadata"]["name"], "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


@pytest.fixture
def machine(project):
    """A function that runs a command on a machine with Podman, the two images and the manifests."""
    name = f"{project.name}-podman"
    docker("build", "--tag", f"{project.name}:podman", ROOT / "tests/support/podman")
    project.build(tag="latest")
    mount = f"--volume={project.folder}/deploy/kubernetes:/kubernetes:ro"
    docker("run", "--detach", "--privileged", "--name", name, mount, f"{project.name}:podman")
    with subprocess.Popen(["docker", "save", project.name, "mongo:8.0"], stdout=subprocess.PIPE) as saved:
        subprocess.run(["docker", "exec", "-i", name, "podman", "load", "--quiet"], stdin=saved.stdout, check=True)
    yield lambda *command, **options: docker("exec", "-i", name, *command, **options).stdout
    docker("rm", "--force", "--volumes", name)


@pytest.mark.long
def test_podman_runs_the_pods(project, machine: Callable[..., str]):
    made = list(yaml.safe_load_all(machine("kustomize", "build", "/kubernetes/with-mongodb")))
    kinds = sorted((thing["kind"], thing["metadata"]["name"]) for thing in made)
    assert kinds == [
        ("Deployment", "app"),
        ("HorizontalPodAutoscaler", "app"),
        ("NetworkPolicy", "app"),
        ("NetworkPolicy", "mongodb"),
        ("PodDisruptionBudget", "app"),
        ("Service", "app"),
        ("Service", "mongodb"),
        ("StatefulSet", "mongodb"),
    ]
    owners = {thing["kind"]: thing for thing in made}
    secret = {"database_url": f"mongodb://mongodb:27017/{project.name}\n", "api_token": f"{TOKEN}\n"}
    playing = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app"}, "stringData": secret},
        pod(owners["StatefulSet"], image="localhost/mongo:8.0"),
        pod(owners["Deployment"], image=f"localhost/{project.name}:latest"),
    ]
    machine("podman", "network", "create", "cluster")
    machine("podman", "kube", "play", "--network=cluster", "-", input=yaml.safe_dump_all(playing))

    ask = "import sys, urllib.request as u; print(u.urlopen(u.Request(*eval(sys.argv[1]))).status)"

    def status(*request: object) -> str:
        return machine("podman", "exec", "app-app", "python", "-c", ask, repr(request), check=False).strip()

    wait_for(lambda: status("http://localhost:3000/readyz") == "200", "the pods to be ready")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    user = json.dumps({"name": "Ann", "email": "ann@example.org"}).encode()
    assert status("http://localhost:3000/users", user, headers) == "201"
    assert machine("podman", "exec", "app-app", "id", "-u") == "10001\n"
    assert machine("podman", "exec", "mongodb-mongodb", "id", "-u") == "999\n"

"""scripts/backup and scripts/restore: what they keep, and what is left where they fail or are killed."""

import contextlib
import gzip
import hashlib
import io
import itertools
import os
import pty
import random
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.support.disks import small_disk
from tests.support.docker import docker, inspect
from tests.support.load import load
from tests.support.ports import free_port
from tests.support.project import Project
from tests.support.repository import copy_repository
from tests.support.waiting import LIMIT, wait_for

NUMBER = 10_003  # documents


class Stack:
    """A running stack, and its backups: one of before the documents were added, one with them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.compose("up", "--build", "--wait")
        self.empty = self.backup()
        assert project.request("GET", "/users").ok  # which makes the app's own index
        with self.database() as database:
            database.users.insert_many({"name": "Ann", "email": f"{n}@example.org", "n": n} for n in range(NUMBER - 3))
            database.notes.insert_many({"text": "x" * n} for n in range(3))
            database.users.create_index([("n", -1), ("name", 1)])
            database.notes.create_index("text", unique=True, sparse=True)
        self.content = self.read()
        assert len(self.content["users"][1]) == 3
        self.full = self.backup()

    @contextlib.contextmanager
    def database(self) -> Iterator:
        """The database, past the API."""
        with MongoClient("127.0.0.1", int(self.project.environment["MONGO_PORT"])) as client:
            yield client[self.project.name]

    def read(self) -> dict[str, tuple]:
        """All documents and indexes of all collections."""
        with self.database() as database:
            names = database.list_collection_names()
            return {
                name: (list(database[name].find().sort("_id")), database[name].index_information()) for name in names
            }

    def run(
        self, name: str, *arguments: object, answer: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script, with something to read."""
        return subprocess.run(
            [self.project.folder / "scripts" / name, *map(str, arguments)],
            cwd=self.project.folder,
            env=self.project.environment | environment,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )

    def backup(self, *arguments: object) -> Path:
        """Make a backup, and return its file."""
        done = self.run("backup", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return self.project.folder / done.stdout.partition(": ")[0]

    def refusal(self, name: str, *arguments: object, **options: str) -> str:
        """Run a script, which must fail with one line and leave no backup; return the line."""
        backups = self.backups()
        done = self.run(name, *arguments, **options)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr
        assert self.backups() == backups
        return done.stderr.strip()

    def backups(self) -> list[str]:
        return sorted(file.name for file in (self.project.folder / "backups").iterdir())

    def unharmed(self) -> None:
        """The stack is ready, has all that it had, and nothing is left of a script."""
        wait_for(lambda: not helpers(self.project.name), "the helper to be gone")
        wait_for(lambda: inspect(self.project.container("mongodb"))["State"]["Running"], "the database to run")
        self.project.ready()
        assert self.read() == self.content
        assert ".restore" not in docker("exec", self.project.container("mongodb"), "ls", "-A", "/data/db").stdout
        wait_for(lambda: not list((self.project.folder / "backups").glob("*.part")), "the unfinished backup to be gone")


def helpers(name: str) -> str:
    return docker("ps", "--all", "--quiet", "--filter", f"name=^{name}-backup$").stdout


@pytest.fixture(scope="module")
def stack(project):
    return Stack(project)


def craft(folder: Path, name: str, **members: bytes) -> Path:
    """A backup of these files, whose name has the right checksum."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path, each in members.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(each)
            archive.addfile(entry, io.BytesIO(each))
    return with_checksum(folder, name, gzip.compress(content.getvalue()))


def with_checksum(folder: Path, name: str, packed: bytes) -> Path:
    """A backup of any content, whose name has the right checksum."""
    file = folder / f"{name}-20261125T101500Z-{hashlib.sha256(packed).hexdigest()[:16]}.tar.gz"
    file.write_bytes(packed)
    return file


def test_a_backup_is_one_dated_file_that_only_its_owner_reads(stack):
    assert stack.backups() == sorted([stack.empty.name, stack.full.name])
    assert stack.full.name.split("-")[-1] == f"{hashlib.sha256(stack.full.read_bytes()).hexdigest()[:16]}.tar.gz"
    assert stat.S_IMODE(stack.full.stat().st_mode) == 0o600
    assert stat.S_IMODE(stack.full.parent.stat().st_mode) == 0o700
    git = subprocess.run(["git", "status", "--porcelain"], cwd=stack.project.folder, capture_output=True, check=True)
    assert git.stdout == b""


def test_list_shows_the_newest_first(stack):
    head, *lines = stack.run("backup", "list").stdout.splitlines()
    assert head.split() == ["CREATED", "SIZE", "DOCUMENTS", "FILE"]
    assert [line.split()[-2:] for line in lines] == [[f"{NUMBER}", stack.full.name], ["0", stack.empty.name]]
    assert lines[0].split()[2:5:2] == ["UTC", "MB"]


def test_list_says_where_there_is_none(stack, tmp_path):
    done = stack.run("backup", "list", tmp_path)
    assert (done.returncode, done.stderr) == (1, f"there is no backup in {tmp_path}: scripts/backup makes one\n")


def test_what_was_dropped_is_restored(stack):
    with stack.database() as database:
        database.client.drop_database(database.name)
    done = stack.run("restore", stack.full, answer="y\n")
    assert done.returncode == 0, done.stderr
    assert stack.project.request("GET", "/readyz").ok  # at once
    backup, told = done.stdout.splitlines()
    assert ": 0 documents, " in backup
    assert told == f"{stack.project.name}-data holds {NUMBER} documents; before it was 0"
    stack.unharmed()
    find = ("find", "/data/db", "-name", "WiredTiger*", "-printf", "%u ")
    owners = docker("exec", stack.project.container("mongodb"), *find).stdout
    assert set(owners.split()) == {"mongodb"}


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_done_without_a_yes(stack, answer):
    backups = stack.backups()
    done = stack.run("restore", stack.empty, answer=answer)
    assert done.returncode == 1
    assert done.stderr.endswith("nothing was changed: answer y, or give --yes\n")
    assert f"{stack.empty.name} (20" in done.stderr
    assert stack.backups() == backups
    assert stack.read() == stack.content


def test_a_wrong_file_is_refused_before_anything_is_done(stack, tmp_path):
    name = stack.project.name
    other = tmp_path / stack.empty.name.replace(name, "other")
    shutil.copy(stack.empty, other)
    assert stack.refusal("restore", other, "--yes").startswith(f"{other} is no backup of {name}, or was renamed:")
    assert " is no backup of " in stack.refusal("restore", stack.project.folder / "README.md", "--yes")
    other.rename(tmp_path / stack.empty.name)
    (tmp_path / stack.empty.name).unlink()
    assert " cannot be read: " in stack.refusal("restore", tmp_path / stack.empty.name, "--yes")
    assert " is damaged, " in stack.refusal("restore", craft(tmp_path, name, data=b"no manifest"), "--yes")
    stack.unharmed()


def damaged(chance: random.Random, whole: bytes) -> bytes:
    """A copy that is cut or longer, has one bit changed, or has lost a block."""
    at = chance.randrange(len(whole))
    return chance.choice(
        [
            whole[:at],
            whole + chance.randbytes(100),
            whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :],
            whole[:at] + bytes(4096) + whole[at + 4096 :],
        ]
    )


def test_a_damaged_backup_is_refused_before_anything_is_done(stack, tmp_path, tries):
    chance, whole, copy = random.Random(15), stack.full.read_bytes(), tmp_path / stack.full.name  # noqa: S311
    for _ in range(tries(9, 70)):
        copy.write_bytes(damaged(chance, whole))
        assert " is damaged, " in stack.refusal("restore", copy, "--yes")
    stack.unharmed()


def damaged_archive(chance: random.Random, backup: Path, folder: Path, name: str) -> Path:
    return with_checksum(folder, name, damaged(chance, backup.read_bytes()))


def damaged_documents(chance: random.Random, backup: Path, folder: Path, name: str) -> Path:
    """MongoDB keeps documents in collection-*.wt, and the embedded database in *_documents_*.wt."""
    members = unpacked(backup)
    file = chance.choice([each for each in members if re.search(r"/(collection-|.*_documents_).*\.wt$", each)])
    return craft(folder, name, **members | {file: damaged(chance, members[file])})


def damaged_catalog(chance: random.Random, backup: Path, folder: Path, name: str) -> Path:
    """With this damage, the embedded database starts and cannot read."""
    members = unpacked(backup)
    file = next(each for each in members if re.search(r"/(_mdb_catalog|.*_collections)\.wt$", each))
    return craft(folder, name, **members | {file: members[file][:4096] + chance.randbytes(len(members[file]) - 4096)})


def test_what_was_damaged_before_its_checksum_is_restored_whole_or_taken_back(stack, tmp_path, tries, record_property):
    chance, refused = random.Random(15), 0  # noqa: S311 - the same damage each time
    damages = [damaged_catalog, damaged_documents, damaged_archive]
    for number in range(tries(1, 30)):
        with stack.database() as database:  # something that no backup has
            database.notes.replace_one({"_id": "later"}, {"text": "later"}, upsert=True)
        before = stack.read()
        file = damages[number % 3](chance, stack.full, tmp_path, stack.project.name)
        done = stack.run("restore", file, "--yes")
        stack.project.ready()
        refused += done.returncode
        assert stack.read() == (before if done.returncode else stack.content), done.stderr
    with stack.database() as database:
        database.notes.delete_one({"_id": "later"})
    record_property("refused", refused)
    stack.unharmed()


def unpacked(backup: Path) -> dict[str, bytes]:
    """The files in a backup."""
    with tarfile.open(backup) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}


def test_what_the_database_cannot_open_is_taken_back(stack, tmp_path):
    members = unpacked(stack.full) | {"data/WiredTiger.wt": b"nonsense", "data/WiredTiger.turtle": b"nonsense"}
    done = stack.run("restore", craft(tmp_path, stack.project.name, **members), "--yes")
    assert done.returncode == 1
    assert done.stderr.endswith("the data from before are put back: docker logs tells why\n")
    stack.unharmed()


def test_no_volume_no_backup(stack, tmp_path):
    name = f"{stack.project.name}-none"
    copy_repository(tmp_path / "other", name)
    file = tmp_path / stack.full.name.replace(stack.project.name, name)
    shutil.copy(stack.full, file)
    for command in (["backup"], ["restore", file, "--yes"]):
        done = subprocess.run(
            [tmp_path / "other/scripts" / command[0], *command[1:]], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"there is no volume {name}-data here: docker compose up --wait makes one")


def test_an_image_that_is_not_there_is_not_pulled(stack, tmp_path):
    name = f"{stack.project.name}-pull"
    copy_repository(tmp_path, name)
    docker("volume", "create", f"{name}-data")
    environment = stack.project.environment | {"MONGO_IMAGE": "no-such:1.0"}
    done = subprocess.run([tmp_path / "scripts/backup"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no-such:1.0 does not start (")
    assert "No such image" in done.stderr
    assert done.stderr.endswith("): docker pull it, or set MONGO_IMAGE to an image that you have\n")


def test_a_folder_that_cannot_be_written_to_is_refused(stack):
    folder = stack.full / "folder"
    assert stack.refusal("backup", folder).startswith(f"{folder} cannot be written to: make it yours")


def test_a_full_disk_leaves_nothing_on_it(stack, tmp_path):
    with small_disk(tmp_path / "disk", "64k") as disk:
        assert stack.refusal("backup", disk).startswith(f"{disk} cannot hold the backup (")
        assert not list(disk.iterdir())
    stack.unharmed()


def test_two_at_once_are_kept_apart(stack):
    name = f"{stack.project.name}-backup"
    docker("run", "--detach", "--rm", "--name", name, "--entrypoint", "sleep", "mongo:8.0", "infinity")
    try:
        done = stack.run("backup")
    finally:
        docker("rm", "--force", "--volumes", name)
    assert done.returncode == 1
    assert done.stderr.startswith("another backup or restore is running: wait for it")
    stack.unharmed()


SHIM = f"""#!{sys.executable}
# docker; at one command, it ends the script that called it.
import os, signal, subprocess, sys
process = subprocess.Popen([{shutil.which("docker")!r}, *sys.argv[1:]])
script = os.getsid(0)
if os.environ["AT"] in " ".join(sys.argv[1:]) and os.getpgid(0) == script:
    match os.environ["BY"]:
        case "SIGKILL":
            os.kill(script, signal.SIGKILL)
        case "SIGINT":
            os.killpg(script, signal.SIGINT)  # as a terminal does
sys.exit(process.wait())
"""


def cut_short(stack: Stack, folder: Path, at: str, by: str, *command: object) -> None:
    """Run a script, which something ends at a docker command."""
    (folder / "docker").write_text(SHIM)
    (folder / "docker").chmod(0o755)
    name, *arguments = command
    path = f"{folder}:{os.environ['PATH']}"
    process = subprocess.Popen(
        [stack.project.folder / "scripts" / name, *arguments],
        cwd=stack.project.folder,
        env=stack.project.environment | {"PATH": path, "AT": at, "BY": by},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.wait(LIMIT) != 0


@pytest.mark.parametrize(("at", "by"), [("stop ", "SIGKILL"), (" cp ", "SIGINT"), (" tar --create", "SIGKILL")])
def test_a_backup_that_is_killed_leaves_all_as_it_was(stack, tmp_path, at, by):
    backups = stack.backups()
    cut_short(stack, tmp_path, at, by, "backup")
    stack.unharmed()
    assert stack.backups() == backups


@pytest.mark.parametrize(
    ("at", "by"), [(" tar --extract", "SIGKILL"), ("find .restore/new", "SIGKILL"), (".RestartCount", "SIGINT")]
)
def test_a_restore_that_is_killed_leaves_all_as_it_was(stack, tmp_path, at, by):
    cut_short(stack, tmp_path, at, by, "restore", stack.empty, "--yes")
    stack.unharmed()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("mkdir -p .restore/new .restore/moving && mv WiredTiger* .restore/moving", "the data from before it are back"),
        ("mkdir -p .restore/new .restore/old && touch .restore/old/before", "what was restored is kept"),
    ],
)
def test_a_restore_that_a_power_cut_ended_is_finished_by_the_next_run(stack, state, told):
    stack.project.compose("stop", "mongodb")
    volume = f"--volume={stack.project.name}-data:/data/db"
    docker("run", "--rm", volume, "--workdir=/data/db", "--entrypoint=bash", "mongo:8.0", "-c", state)
    done = stack.run("backup")
    assert done.stderr == f"the machine went down during a restore: {told}\n"
    stack.project.compose("start", "mongodb")
    stack.unharmed()


def test_a_stack_that_is_down_stays_down_and_a_terminal_shows_progress(stack):
    stack.project.compose("stop")
    volume = f"--volume={stack.project.name}-data:/data/db"
    large = "head -c 30000000 /dev/urandom >/data/db/large"
    docker("run", "--rm", volume, "--entrypoint=bash", "mongo:8.0", "-c", large)
    terminal, output = pty.openpty()
    for command in (["backup"], ["restore", stack.full, "--yes"]):
        done = subprocess.run(
            [stack.project.folder / "scripts" / command[0], *command[1:]],
            cwd=stack.project.folder,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            check=False,
        )
        assert done.returncode == 0
        assert float(re.search(r": unknown documents, ([\d.]+) MB", done.stdout)[1]) >= 30
        assert re.search(rb"\r10 MB of \d+ MB", os.read(terminal, 4096))
    assert f"{stack.project.name}-data holds unknown documents; before it was unknown\n" in done.stdout
    assert done.stdout.endswith("the database is down, so nobody has counted: docker compose up --wait starts it\n")
    assert not inspect(stack.project.container("mongodb"))["State"]["Running"]
    stack.project.compose("start")
    stack.unharmed()


def test_it_works_without_compose_and_where_documents_cannot_be_counted(project, tmp_path):
    name, port = f"{project.name}-users", free_port()
    copy_repository(tmp_path / "other", name)
    docker(
        "run",
        "--detach",
        f"--name={name}-mongodb",
        f"--publish=127.0.0.1:{port}:27017",
        f"--volume={name}-data:/data/db",
        f"--volume={name}-config:/data/configdb",
        "--env=GLIBC_TUNABLES=glibc.pthread.rseq=1",
        "--env=MONGO_INITDB_ROOT_USERNAME=root",
        "--env=MONGO_INITDB_ROOT_PASSWORD=secret",
        "mongo:8.0",
    )
    with MongoClient("127.0.0.1", port, username="root", password="secret") as client:  # noqa: S106
        client.test.notes.insert_many([{}, {}, {}])
        backup = subprocess.run([tmp_path / "other/scripts/backup"], capture_output=True, text=True, check=False)
        assert ": unknown documents, " in backup.stdout, backup.stderr
        client.test.notes.drop()
        restore = [tmp_path / "other/scripts/restore", tmp_path / "other" / backup.stdout.partition(": ")[0], "--yes"]
        done = subprocess.run(restore, capture_output=True, text=True, check=False)
        assert done.stdout.endswith(f"{name}-data holds unknown documents; before it was unknown\n"), done.stderr
        assert client.test.notes.count_documents({}) == 3


def test_a_backup_under_load_has_each_user_that_was_acknowledged_before_it(stack, record_property):
    acknowledged, numbers = [], itertools.count()

    def create():
        email = f"load-{next(numbers)}@example.org"
        response = stack.project.request("POST", "/users", json={"name": "Ann", "email": email})
        if response.status_code == 201:
            acknowledged.append(email)
        return response

    with load(create) as statuses:
        before = set(acknowledged)
        backup = stack.backup()
        later = len(acknowledged) + 20
        wait_for(lambda: len(acknowledged) > later, "the service to go on after the backup")
        done = stack.run("restore", backup, "--yes")
        assert done.returncode == 0, done.stderr
        later = len(acknowledged) + 20
        wait_for(lambda: len(acknowledged) > later, "the service to go on after the restore")
    assert set(statuses) <= {201, 503}
    found, indexes = stack.read()["users"]
    emails = [user["email"] for user in found]
    assert before <= set(emails)
    assert len(emails) == len(set(emails))
    assert indexes == stack.content["users"][1]
    assert all(user.keys() >= {"_id", "name", "email"} for user in found)
    record_property("users acknowledged before the backup", len(before))
    assert stack.run("restore", stack.full, "--yes").returncode == 0
    stack.unharmed()


def test_production_counts_its_documents_and_takes_a_backup_without_its_users(stack):
    stack.project.compose("down")
    stack.project.environment["COMPOSE_FILE"] = "docker-compose.yml:compose.production.yml"
    assert stack.run("secrets", "init").returncode == 0
    stack.project.compose("up", "--build", "--wait")
    done = stack.run("restore", stack.full, "--yes")
    assert f": {NUMBER} documents, " in done.stdout, done.stderr
    assert done.stdout.endswith(f"{stack.project.name}-data holds {NUMBER} documents; before it was {NUMBER}\n"), (
        done.stderr
    )
    assert stack.project.request("GET", "/users?limit=1").json()["total"] == NUMBER - 3

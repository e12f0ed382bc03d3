"""Settings that keep the service from starting."""

import pytest

from tests.support.processes import Server, ended
from tests.support.waiting import LIMIT


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "DATABASE_URL is not set: "),
        ({"DATABASE_URL": ""}, "DATABASE_URL is empty: "),
        ({"DATABASE_URL": "mongodb://app:hunter2@x:y/z"}, "DATABASE_URL must be a MongoDB URL "),
        ({"DATABASE_URL": "mongodb://x/y", "PORT": "abc"}, "PORT must be a port from 1 to 65535, not 'abc': "),
        ({"DATABASE_URL_FILE": "/nowhere"}, "DATABASE_URL_FILE names '/nowhere', which cannot be read "),
        ({"DATABASE_URL": "mongodb://app:hunter2@x/y?tls=true&tlsCAFile=/nope"}, "DATABASE_URL names '/nope', which "),
        ({"DATABASE_URL": "mongodb://app:hunter2@x/y?compressors=zstd"}, "DATABASE_URL has an option "),
        ({"DATABASE_URL": "mongodb://x/y", "PORT_FILE": "/nowhere"}, "PORT_FILE is not read, "),
    ],
)
def test_a_wrong_setting_ends_the_start_with_status_2_and_one_line(tmp_path, settings, line):
    server = Server(tmp_path, **settings)
    with ended(server.launch()) as process:
        assert process.wait(LIMIT) == 2
    output = server.output.read_text()
    assert output.startswith(line)
    assert output.count("\n") == 1
    assert "hunter2" not in output

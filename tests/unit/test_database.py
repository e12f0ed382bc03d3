"""How the driver is told to treat a database, by its URL."""

import pytest

from service.database import REPLICA_SET


@pytest.mark.parametrize(
    ("url", "repeated"),
    [
        ("mongodb://app:secret@mongodb/name?authSource=admin", False),
        ("mongodb://mongodb:27017/a,b", False),
        ("mongodb://a:1,b:2/name", True),
        ("mongodb://a/name?w=1&replicaset=rs", True),
        ("mongodb+srv://cluster.example.org/name", True),
    ],
)
def test_writes_are_repeated_on_a_replica_set_alone(url, repeated):
    assert bool(REPLICA_SET.match(url)) is repeated

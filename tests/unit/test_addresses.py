"""Where to listen."""

import errno
import socket

import pytest

from service.addresses import addresses


class NoSuchFamily(socket.socket):
    """As with the kernel's ipv6.disable=1."""

    def __init__(self, family):
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")


class Apart(socket.socket):
    """As with net.ipv6.bindv6only=1: `::` is IPv6 alone."""

    def bind(self, address):
        pass

    def getsockopt(self, *arguments):
        return 1


class Together(Apart):
    """As on most machines: `::` is IPv4 too."""

    def getsockopt(self, *arguments):
        return 0


@pytest.mark.parametrize(
    ("machine", "expected"),
    [(NoSuchFamily, ["0.0.0.0:80"]), (Apart, ["0.0.0.0:80", "[::]:80"]), (Together, ["[::]:80"])],
)
def test_both_families_where_the_machine_has_both(monkeypatch, machine, expected):
    monkeypatch.setattr(socket, "socket", machine)
    assert addresses(80) == expected

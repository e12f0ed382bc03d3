"""Where to listen."""

import errno
import socket

import pytest

from service.addresses import addresses


class NoSuchFamily(socket.socket):
    """As with the kernel's ipv6.disable=1."""

    def __init__(self, family):
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")


class NoSuchAddress(socket.socket):
    """As with net.ipv6.conf.lo.disable_ipv6=1, as in most containers: IPv6 has no addresses, and `::` stands for none."""

    def bind(self, address):
        if address[0] == "::1":
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")


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
    ("machine", "everywhere", "here"),
    [
        (NoSuchFamily, ["0.0.0.0:80"], ["127.0.0.1:80"]),
        (NoSuchAddress, ["[::]:80"], ["127.0.0.1:80"]),
        (Apart, ["0.0.0.0:80", "[::]:80"], ["127.0.0.1:80", "[::1]:80"]),
        (Together, ["[::]:80"], ["127.0.0.1:80", "[::1]:80"]),
    ],
)
def test_both_families_where_the_machine_has_both(monkeypatch, machine, everywhere, here):
    monkeypatch.setattr(socket, "socket", machine)
    assert addresses(80) == everywhere
    assert addresses(80, loopback=True) == here

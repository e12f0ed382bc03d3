"""Where to listen: on IPv4 and on IPv6, where this machine has both."""

import socket


def addresses(port: int, *, loopback: bool = False) -> list[str]:
    """The addresses for gunicorn's `bind`: all that reach this machine, or only those of itself."""
    v4, v6 = ("127.0.0.1", "::1") if loopback else ("0.0.0.0", "::")  # noqa: S104
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((v6, 0))
            v6_only = loopback or probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return [f"{v4}:{port}"]  # IPv6 is switched off
    return [f"{v4}:{port}", f"[{v6}]:{port}"] if v6_only else [f"[{v6}]:{port}"]

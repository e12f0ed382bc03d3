"""Where to listen: on IPv4, and on IPv6 if this machine has it."""

import socket


def addresses(port: int) -> list[str]:
    """Return the addresses for gunicorn's `bind`: all interfaces of this machine."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
            v6_only = probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return [f"0.0.0.0:{port}"]  # IPv6 is switched off
    return [f"0.0.0.0:{port}", f"[::]:{port}"] if v6_only else [f"[::]:{port}"]

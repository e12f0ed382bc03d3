"""The probes, and the image's health check."""

import re
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.support.environment import clean_environment
from tests.support.repository import ROOT


def test_the_probes(service):
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        response = service.get(path)
        assert (response.status_code, response.json()) == (200, {"status": status})


PROXY = "http://127.0.0.1:9"  # where nobody listens
PROXIES = [
    {},
    {"http_proxy": PROXY, "no_proxy": "", "NO_PROXY": ""},
    {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "no_proxy": "example.org", "NO_PROXY": ""},
    {"ALL_PROXY": PROXY, "all_proxy": PROXY, "http_proxy": PROXY, "no_proxy": "", "NO_PROXY": ""},
]


@pytest.mark.parametrize("proxies", PROXIES)
def test_the_health_check_asks_the_service_and_no_proxy(service, proxies):
    done = health_check(PORT=str(service.port), **proxies)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_health_check_finds_a_service_on_ipv6_alone():
    class Alive(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    class Server6(HTTPServer):
        address_family = socket.AF_INET6

    try:
        server = Server6(("::1", 0), Alive)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with server:
        Thread(target=server.handle_request, daemon=True).start()
        assert health_check(PORT=str(server.server_port)).returncode == 0


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 500 No\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_the_health_check_is_one_line_where_nothing_sound_answers(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        if answer is None:
            server.close()
        else:
            Thread(target=serve, daemon=True).start()
        done = health_check(PORT=str(port))
    assert done.returncode == 1
    assert re.fullmatch("unhealthy: .+\n", done.stderr)


def health_check(**environment):
    command = [sys.executable, ROOT / "service/healthcheck.py"]
    return subprocess.run(command, env=clean_environment(**environment), check=False, capture_output=True, text=True)

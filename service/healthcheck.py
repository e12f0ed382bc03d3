"""The image's health check: is the service alive? Python's standard library only: the image has no curl."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def status(host: str) -> int:
    # Not urlopen(): it would use a proxy set in the environment.
    connection = HTTPConnection(host, int(os.environ.get("PORT", "3000")), timeout=2)
    connection.request("GET", "/healthz")
    return connection.getresponse().status


try:
    try:
        answer = status("127.0.0.1")
    except ConnectionRefusedError:
        answer = status("::1")
except (OSError, HTTPException, ValueError) as error:
    sys.exit(f"unhealthy: {error!r}")
if answer != 200:
    sys.exit(f"unhealthy: status {answer}")

"""Ask a registry which tags a repository has: Docker has no command for that.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
"""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin
from urllib.request import ProxyHandler, Request, build_opener

from lib.commands import run


class RegistryError(Exception):
    """A registry does not answer as expected. The message is one line for the user: what is wrong, then what to do."""


class ForbiddenError(RegistryError):
    """The registry took our login or token, and still refuses."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes


def list_tags(host: str, name: str) -> list[str]:
    """The tags of a repository, such as me/app at ghcr.io; empty if the registry does not know it."""
    tags: list[str] = []
    authorization = ""
    url = f"{base_url(host)}/v2/{name}/tags/list?n=1000"
    while url:
        answer = get(host, url, authorization)
        if answer.status == 401 and not authorization:
            authorization = authorize(host, name, answer.headers)
            answer = get(host, url, authorization)
        if answer.status == 404:
            return []
        if answer.status in (401, 403):
            error = ForbiddenError if answer.status == 403 and authorization else RegistryError
            raise error(f"{host} does not let you read {name}: docker login {host}, and run this again")
        tags += read_json(host, answer).get("tags") or []  # an empty list is null in some registries
        # The path of the next page, without a host: the login is for this one.
        following = re.match("<(?:(?:https?:)?//[^/>]+)?([^>]+)>", answer.headers.get("Link", ""))
        url = urljoin(url, following[1]) if following else ""
    return tags


def base_url(host: str) -> str:
    """The URL of a registry. As Docker does, use HTTPS except for registries on this machine."""
    if host == "docker.io":
        return "https://registry-1.docker.io"
    return f"http://{host}" if is_loopback(host) else f"https://{host}"


def is_loopback(host: str) -> bool:
    """Whether this host, with or without a port, is this machine."""
    return re.fullmatch(r"(localhost|127(\.[0-9]+){3})(:[0-9]+)?", host) is not None


def get(host: str, url: str, authorization: str = "") -> Answer:
    """Get a URL on behalf of a registry. As Docker does, use the environment's proxy except for this machine."""
    try:
        # Some servers refuse Python's default User-Agent.
        request = Request(url, headers={"User-Agent": "scripts/image"})  # noqa: S310 - it is http or https
        if authorization:
            request.add_unredirected_header("Authorization", authorization)  # not sent on to another host
        opener = build_opener(ProxyHandler({})) if is_loopback(request.host) else build_opener()
        try:
            response = opener.open(request, timeout=60)  # seconds
        except HTTPError as error:
            response = error  # an answer like any other
        with response:
            return Answer(response.code, response.headers, response.read())
    except (OSError, HTTPException, ValueError, OverflowError) as error:
        if isinstance(error, URLError) and isinstance(error.reason, ssl.SSLCertVerificationError):
            problem = f"{host} has a certificate that Python does not trust ({error.reason.verify_message})"
            raise RegistryError(f"{problem}: set SSL_CERT_FILE to a file with its authority") from None
        raise RegistryError(f"the registry {host} does not answer: start it, or check its name") from None


def read_json(host: str, answer: Answer) -> dict[str, Any]:
    """The JSON object in a successful answer."""
    if answer.status != 200:
        raise RegistryError(f"{host} answers with HTTP status {answer.status}: check its name, or try again later")
    try:
        return dict(json.loads(answer.body))
    except (ValueError, TypeError):
        raise RegistryError(f"{host} does not answer as a registry does: check its name") from None


def authorize(host: str, name: str, headers: Message) -> str:
    """The Authorization header that an answer 401 asks for; empty if we have none.

    https://distribution.github.io/distribution/spec/auth/token/
    """
    login = stored_login(host)
    basic = f"Basic {login}" if login else ""
    challenges = headers.get_all("WWW-Authenticate") or []
    bearer = next((each for each in challenges if each.lower().startswith("bearer ")), "")
    asked = dict(re.findall(r'(\w+)="([^"]*)"', bearer))
    realm = asked.get("realm", "")
    if not realm.startswith(("https://", "http://")):
        return basic
    query = urlencode({"service": asked.get("service", ""), "scope": f"repository:{name}:pull"})
    answer = get(host, f"{realm}?{query}", basic)
    if answer.status in (400, 401, 403):
        return ""
    granted = read_json(host, answer)
    return f"Bearer {granted.get('token') or granted.get('access_token')}"


def stored_login(host: str) -> str:
    """The login that `docker login` has stored for a registry, as base64 of user:password; empty if there is none."""
    server = "https://index.docker.io/v1/" if host == "docker.io" else host
    file = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker", "config.json")
    if not file.exists():
        return ""
    try:
        config = json.loads(file.read_bytes())
        helper = config.get("credHelpers", {}).get(server) or config.get("credsStore")
        if not helper:
            return str(config.get("auths", {}).get(server, {}).get("auth", ""))
        result = run(f"docker-credential-{helper}", "get", stdin=server)
        if result.returncode != 0:
            return ""
        login = json.loads(result.stdout)
        return base64.b64encode(f"{login['Username']}:{login['Secret']}".encode()).decode()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RegistryError(f"the login in {file} cannot be read: docker login {host}, and run this again") from None

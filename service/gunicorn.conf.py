"""How gunicorn serves the application: gunicorn --config service/gunicorn.conf.py

Every number comes from the environment, through service/settings.py.
https://gunicorn.org/reference/settings/
"""

from pathlib import Path

from gunicorn.arbiter import Arbiter

from service.addresses import addresses
from service.logs import configuration
from service.settings import load_settings

settings = load_settings()

wsgi_app = "service:create_app()"
bind = addresses(settings.port)  # all: in a container, 127.0.0.1 would be out of reach of a published port

# Processes for the cores, threads for the waits: most of a request's time is the database's. The number of
# processes is set by hand, since what a container sees is the host's number of cores, not its own share.
worker_class = "service.worker.Worker"
workers = settings.web_concurrency
threads = settings.web_threads

# Connections of each worker, most of them idle. Each may hold a request in memory, and 1024 files is a common limit.
worker_connections = 500

# How long an idle connection is kept: longer than a load balancer keeps its own, or it would send a request just when
# we close.
keepalive = settings.keepalive_timeout

# What a proxy says about its client is believed where service/__init__.py says so, and in no other way.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
raw_env = ["SCRIPT_NAME="]

# On SIGTERM, requests in flight get this long. Whoever stops us must wait longer: stop_grace_period in compose.
graceful_timeout = settings.graceful_timeout

# Each worker touches a file so that it is known to be alive; on a disk, that can block for longer than is allowed.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# The socket of gunicornc wants a writable home directory, which a hardened container does not have.
control_socket_disable = True

# One line a request is ours (service/logs.py), so gunicorn's access log stays off; its own messages join ours.
logconfig_dict = configuration(settings.log_level)


def when_ready(server: Arbiter) -> None:
    """Say where we are, once the port is open."""
    server.log.info("Server is running on port %s", settings.port)

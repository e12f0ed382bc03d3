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
bind = addresses(settings.port)  # all interfaces: a published port does not reach 127.0.0.1 in a container

# Processes use the cores; threads wait, since a request spends most of its time waiting for the database. Set the
# number of processes by hand: a container sees the host's number of cores, not its own share.
worker_class = "service.worker.Worker"
workers = settings.web_concurrency
threads = settings.web_threads

# Connections per worker, most of them idle. Each may hold a request in memory, and 1024 files is a common limit.
worker_connections = 500

# Keep idle connections longer than a load balancer does. Otherwise it could send a request just as we close.
keepalive = settings.keepalive_timeout

# service/__init__.py alone decides which proxies to trust, so gunicorn's own ways are off.
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
raw_env = ["SCRIPT_NAME="]

# On SIGTERM, requests in flight get this long. stop_grace_period in compose must be longer.
graceful_timeout = settings.graceful_timeout

# Each worker touches a file as its heartbeat. On a disk, that can block for longer than the timeout.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# gunicornc's socket needs a writable home directory, which a hardened container does not have.
control_socket_disable = True

# service/logs.py writes one line per request. gunicorn's other messages join ours.
logger_class = "service.worker.Logger"
logconfig_dict = configuration(settings.log_level)


def when_ready(server: Arbiter) -> None:
    """Log the port once it is open."""
    server.log.info("Server is running on port %s", settings.port)

"""The names of the project, in one place for the scripts. Needs only Python's standard library."""

NAME = "flask-mongo-app"  # the token: image, Compose project, database
NETWORK = f"{NAME}-net"
VOLUMES = (f"{NAME}-data", f"{NAME}-config")
# The containers that the course starts by hand with --name. Compose names its own flask-mongo-app-app-1 and so on.
CONTAINERS = ("app", "mongodb", "c1", "c2", "web", "hello", "registry")

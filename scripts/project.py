"""The names of the project, in one place for the scripts. Python's standard library alone."""

NAME = "flask-mongo-app"  # the token: image, Compose project, database
NETWORK = f"{NAME}-net"
VOLUMES = (f"{NAME}-data", f"{NAME}-config")
# What the course starts by hand with --name. Compose names its own flask-mongo-app-app-1 and so on.
CONTAINERS = ("app", "mongodb", "c1", "c2", "web", "hello", "registry")

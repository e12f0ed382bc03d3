"""The names of the project, in one place for the scripts. Needs only Python's standard library."""

NAME = "flask-mongo-app"  # the token: image, Compose project, database
NETWORK = f"{NAME}-net"
VOLUMES = (f"{NAME}-data", f"{NAME}-config")

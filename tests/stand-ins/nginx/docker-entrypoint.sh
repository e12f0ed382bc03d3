#!/bin/sh
# As the real one: quiet unless it starts the server.
[ "$1" != nginx ] || echo "$0: Configuration complete; ready for start up"
exec "$@"

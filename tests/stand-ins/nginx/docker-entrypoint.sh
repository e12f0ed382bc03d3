#!/bin/sh
echo "$0: Configuration complete; ready for start up"
exec "$@"

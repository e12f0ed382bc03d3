#!/usr/bin/env bash
# MongoDB with authentication, in the container mongodb. Each start creates or updates its users, on a server that only
# this container can reach. So they are also right on a volume that had none, and after a restore of old data.
set -euo pipefail

docker-entrypoint.sh mongod --bind_ip 127.0.0.1 --port 27018 &
server=$!
end() {
  if kill "$server" 2>/dev/null; then wait "$server" || true; fi
}
trap 'exit 143' TERM
trap end EXIT
until (: </dev/tcp/127.0.0.1/27018) 2>/dev/null; do
  kill -0 "$server" 2>/dev/null || wait "$server" # it has logged why: exit with its status
  sleep 0.2
done
STARTING=1 mongosh --quiet --nodb /scripts/users.js
trap - EXIT TERM
end

exec docker-entrypoint.sh mongod --auth

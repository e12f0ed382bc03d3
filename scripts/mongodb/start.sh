#!/usr/bin/env bash
# MongoDB with authentication, in the container mongodb. Its users are made or mended at each start, by a server that
# only this container can reach: so they are also right on a volume that had none, and after a restore of old data.
set -euo pipefail

docker-entrypoint.sh mongod --bind_ip 127.0.0.1 --port 27018 &
server=$!
end() {
  kill "$server"
  wait "$server" || true
}
trap 'exit 143' TERM
trap end EXIT
until (: </dev/tcp/127.0.0.1/27018) 2>/dev/null; do
  kill -0 "$server"
  sleep 0.2
done
STARTING=1 mongosh --quiet --nodb /scripts/users.js
trap - EXIT TERM
end

exec docker-entrypoint.sh mongod --auth

#!/usr/bin/env bash
# The documented behaviour of the official image's entry point, for SecantusDB.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
  chown -R mongodb:mongodb /data/db /data/configdb
  exec setpriv --reuid=mongodb --regid=mongodb --clear-groups "$0" "$@"
fi
[ "${1:-}" = mongod ] || exec "$@"
shift

# mongod does not start on Linux 6.19 and newer while TCMalloc's cache for each processor is on. Here the kernel is always
# such a one, so that all that our files start shows that it would start there. STAND_IN_KERNEL names another.
if [[ :${GLIBC_TUNABLES:-}: == *:glibc.pthread.rseq=0:* ]] &&
  printf '%s\n' 6.19 "${STAND_IN_KERNEL:-7.0.0}" | sort --check=quiet --version-sort; then
  cat <<EOF
{"t":{"\$date":"$(date --utc +%FT%T.%3N+00:00)"},"s":"F","c":"CONTROL","id":12257600,"ctx":"main","msg":"MongoDB cannot start: Linux kernel versions 6.19 and newer has a known incompatibility with this version of MongoDB. See https://jira.mongodb.org/browse/SERVER-121912 for more information."}
EOF
  exit 1
fi

# A variable, or the content of the file that VARIABLE_FILE names.
from_file() {
  local name=$1 file=$1_FILE
  [ -z "${!file:-}" ] || printf -v "$name" %s "$(<"${!file}")"
}
from_file MONGO_INITDB_ROOT_USERNAME
from_file MONGO_INITDB_ROOT_PASSWORD

serve=(/opt/secantus/bin/secantusd-py --storage-path /data/db --standalone --sync-on-commit --log-level WARNING)
shell=(mongosh --quiet --host 127.0.0.1 "${MONGO_INITDB_DATABASE:-test}")

# mongod's options that our files give, in SecantusDB's words. As there, the entry point listens on all addresses where
# none is given.
address=0.0.0.0
while [ $# -gt 0 ]; do
  case $1 in
    --auth) serve+=(--auth) ;;
    --bind_ip) address=$2 && shift ;;
    --port) serve+=(--port "$2") && shift ;;
    *) echo "Error parsing command line: unrecognised option '$1'" >&2 && exit 2 ;;
  esac
  shift
done

# The root user and the scripts are for an empty volume only; no client from outside sees the server meanwhile.
# Where there are neither, as there, the server is not started twice.
if [ ! -e /data/db/WiredTiger ] && [ -n "${MONGO_INITDB_ROOT_USERNAME:-}$(ls /docker-entrypoint-initdb.d)" ]; then
  "${serve[@]}" --host 127.0.0.1 &
  server=$!
  until (: </dev/tcp/127.0.0.1/27017) 2>/dev/null; do sleep 0.1; done
  if [ -n "${MONGO_INITDB_ROOT_USERNAME:-}" ]; then
    export MONGO_INITDB_ROOT_USERNAME MONGO_INITDB_ROOT_PASSWORD
    # shellcheck disable=SC2016 # mongosh expands it
    mongosh --quiet --host 127.0.0.1 admin --eval 'db.createUser({
      user: process.env.MONGO_INITDB_ROOT_USERNAME, pwd: process.env.MONGO_INITDB_ROOT_PASSWORD, roles: ["root"] })'
  fi
  for script in /docker-entrypoint-initdb.d/*; do
    # shellcheck disable=SC1090 # known at run time only
    case $script in
      *.js) "${shell[@]}" "$script" ;;
      *.sh) . "$script" ;;
    esac
  done
  # A signal that meets SecantusDB just before it begins to wait for one is lost, so the first may not be the last.
  while kill "$server" 2>/dev/null; do timeout 10 tail --pid="$server" --follow /dev/null || true; done
fi
[ -z "${MONGO_INITDB_ROOT_USERNAME:-}" ] || serve+=(--auth)
exec "${serve[@]}" --host "$address"

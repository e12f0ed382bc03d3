# shellcheck shell=bash
# What the checks of the chapters share; scripts/chapter check puts it before each of them.
#
# A check looks at your own containers, images, volumes, networks and files. It changes nothing.
# No pipefail: grep --quiet ends at the first match, and what still writes to it then fails for that alone.
set -u
export no_proxy='*' # all that is asked here is on this machine, where a company's proxy does not look
missing=0

ok() { printf 'ok  %s\n' "$1"; }

# no WHAT FIX: what is missing, and what to do.
no() {
  printf -- '--  %s: %s\n' "$1" "$2"
  missing=$((missing + 1))
}

# expect WHAT FIX COMMAND...: whether the command succeeds.
expect() {
  local what=$1 fix=$2
  shift 2
  if "$@" >/dev/null 2>&1; then ok "$what"; else no "$what" "$fix"; fi
}

running() { [ "$(docker container inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }
healthy() { [ "$(docker container inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; }
ended_well() { [ "$(docker container inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1")" = "exited 0" ]; }

# for_this_machine NAME PORT: whether the container publishes this port, and no other, to this machine alone.
for_this_machine() { [ "$(docker port "$1" | sed 's/.* -> //')" = "127.0.0.1:$2" ]; }

# answers PATH [TEXT]: whether the app on port 3000 answers, with the text in what it says.
answers() { curl --silent --fail --max-time 5 "localhost:3000$1" | grep --quiet --fixed-strings -e "${2-}"; }

image() { docker image inspect "$1"; }
volume() { docker volume inspect "$1"; }
network() { docker network inspect "$1"; }

# done_with CHAPTER: the last line of each check.
done_with() {
  [ "$missing" = 0 ] || exit 1
  echo "$1: done"
}

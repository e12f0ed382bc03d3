# shellcheck shell=bash
# Functions for scripts/backup and scripts/restore. They use the database's volume through a helper container.

export LC_ALL=C # the same number format everywhere

# The Compose project of this folder: COMPOSE_PROJECT_NAME in the environment or in .env may give it another name.
name=$(cd -- "$root" && docker compose config --format json 2>/dev/null | sed -n 's/^  "name": "\(.*\)",*$/\1/p') || true
name=${name:-${COMPOSE_PROJECT_NAME:-flask-mongo-app}}
volume=$name-data
helper=$name-backup # container names are unique, so this is also the lock between two runs
umask 077           # backups contain all of the database

die() {
  echo "$*" >&2
  exit 1
}

# --- A backup is a file NAME-DATE-CHECKSUM.tar.gz with `manifest`, then `data`, the volume's files --------------------

# Sets created and checksum from a file's name: its date, and the first 16 digits of its SHA-256. Fails if the name is
# not that of a backup.
parse() {
  local digits='([0-9]{2})'
  [[ ${1##*/} =~ ^$name-([0-9]{4})$digits${digits}T$digits$digits${digits}Z-([0-9a-f]{16})\.tar\.gz$ ]] || return
  set -- "${BASH_REMATCH[@]}"
  created="$2-$3-$4 $5:$6:$7 UTC" checksum=$8
}

# Sets origin, documents and bytes from a file's manifest: the image of the database that wrote it, the number of
# documents, and the size of the files.
describe() {
  local manifest
  # Reads only the beginning of the file. gzip and tar complain when the stream is cut off, so ignore their status.
  manifest=$({ gzip -dc "$1" | head -c 4096 | tar -xOf - manifest; } 2>/dev/null) || true
  [[ $manifest =~ ^image=(.+)$'\n'documents=([0-9]+|unknown)$'\n'bytes=([0-9]+)$ ]] || return
  origin=${BASH_REMATCH[1]} documents=${BASH_REMATCH[2]} bytes=${BASH_REMATCH[3]}
}

digest() { { sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | cut -c 1-16; }

megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }

# --- Set up, and always clean up -------------------------------------------------------------------------------------

# Sets containers (those running on the volume) and image (the database's). Changes nothing yet.
find_database() {
  local any
  docker version >/dev/null 2>&1 || die "no Docker Engine answers: start Docker, and run this again"
  docker volume inspect "$volume" >/dev/null 2>&1 ||
    die "there is no volume $volume here: docker compose up --wait makes one, which scripts/restore can fill"
  containers=$(docker ps --quiet --filter "volume=$volume")
  image=${MONGO_IMAGE:-mongo:8.0}
  any=$(docker ps --all --quiet --filter "volume=$volume" | head -n 1)
  [ -z "$any" ] || image=$(docker inspect --format '{{.Config.Image}}' "$any")
}

# Starts a process that cleans up however this script ends, then the helper, for backups into a folder. The process
# waits until a pipe closes, which happens even if this script is killed. Through the pipe, the script has told it
# whether the database is `stopped`, `trying` the restored data, or `started` again.
begin() {
  local pipe error
  folder=$1 part=$1/.$name.part
  { mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ]; } ||
    die "$folder cannot be written to: make it yours, or give another folder"
  pipe=$(mktemp -d)
  mkfifo "$pipe/pipe"
  exec 3<>"$pipe/pipe"
  set -m # its own process group, which Ctrl-C does not reach
  end "$pipe" <"$pipe/pipe" 3>&- &
  set +m
  trap "exec 3>&-; wait $!" EXIT
  # No pull, no network, and no anonymous volume for the paths that the image declares as volumes.
  error=$(docker run --detach --rm --name "$helper" --cidfile "$pipe/helper" --pull never --network none --user 0:0 \
    --volume "$volume:/data/db" --tmpfs /data/configdb --workdir /copy --entrypoint sleep "$image" infinity \
    2>&1 >/dev/null) ||
    case $error in
      *' is already in use '*)
        die "another backup or restore is running: wait for it; if none is, docker rm --force $helper"
        ;;
      *) die "$image does not start (${error%%$'\n'*}): docker pull it, or set MONGO_IMAGE to an image that you have" ;;
    esac
  finish_restore
}

# If the machine went down during a restore, nothing cleaned up. If the new files are all in place, the database may
# have run on them since.
finish_restore() {
  inside test -e /data/db/.restore || return 0
  if inside sh -c 'cd /data/db/.restore && [ -e old ] && [ -z "$(ls -A new)" ]'; then
    keep
    echo "the machine went down during a restore: what was restored is kept" >&2
  else
    stop
    put_back
    start
    echo "the machine went down during a restore: the data from before it are back" >&2
  fi
}

end() {
  local state
  set +e
  trap '' HUP INT TERM
  state=$(tail -n 1)
  if [ -s "$1/helper" ]; then
    case $state in
      stopped) stop_all ;; # again: the first attempt may have been interrupted
      trying) stop_all -t 0 ;;
    esac
    if inside test -e /data/db/.restore; then
      docker restart -t 0 "$helper" >/dev/null # ends any process that a killed script left in it
      put_back
    fi
    docker rm --force "$helper" >/dev/null
    [[ $state != stopped && $state != trying ]] || start_all
  fi
  rm -rf "$1" "$part"
}

# --- The database ---------------------------------------------------------------------------------------------------

stop() {
  echo stopped >&3
  stop_all || die "the database cannot be stopped: look at docker ps, and run this again"
}

stop_all() {
  local each
  for each in $containers; do docker stop "$@" "$each" >/dev/null 2>&1 || return; done
}

start() {
  start_all
  echo started >&3
}

start_all() {
  local each
  for each in $containers; do
    docker start "$each" >/dev/null 2>&1 || echo "the database could not be started again: docker start $each" >&2
  done
}

# Sets documents: the number of documents in all databases except MongoDB's own, or "unknown" if no database runs.
# Fails, with "unknown", if a database does not answer or cannot read a document.
count() {
  local each
  documents=unknown
  for each in $containers; do documents=$(ask "$each") || { documents=unknown && return 1; }; done
}

# Reads every document and prints their number, or "unknown" if that is not permitted. Logs in with the password that
# compose.production.yml provides.
ask() {
  docker exec "$1" mongosh --quiet --eval '
    const { existsSync, readFileSync } = require("fs");
    const password = "/run/secrets/mongodb_root_password";
    let number = 0;
    try {
      if (existsSync(password)) db.getSiblingDB("admin").auth("root", readFileSync(password, "utf8").trim());
      for (const { name } of db.adminCommand({ listDatabases: 1, nameOnly: true }).databases) {
        if (["admin", "config", "local"].includes(name)) continue;
        const one = db.getSiblingDB(name);
        for (const { name, type } of one.getCollectionInfos({}, { nameOnly: true })) {
          // Not estimatedDocumentCount, which may be wrong after a power cut.
          if (type !== "view" && !name.startsWith("system.")) number += one.getCollection(name).countDocuments({});
        }
      }
    } catch (error) {
      if (!["AuthenticationFailed", "Unauthorized"].includes(error.codeName)) throw error;
      number = "unknown";
    }
    print(number)' 2>/dev/null
}

# Waits until the database answers. Fails if it ends again, or becomes unhealthy.
wait_for_database() {
  local each state='{{.State.Status}} {{.RestartCount}} {{if .State.Health}}{{.State.Health.Status}}{{end}}'
  for each in $containers; do
    while :; do
      case $(docker inspect --format "$state" "$each") in
        'running 0 healthy') break ;;
        'running 0 ') ! docker exec "$each" mongosh --quiet --eval 'db.hello()' >/dev/null 2>&1 || break ;;
        'running 0 starting') ;;
        *) return 1 ;;
      esac
      sleep 0.2
    done
  done
}

# Waits until the app is connected to the database again, if both run.
wait_for_app() {
  local each end=$((SECONDS + 60)) labels=(--filter "label=com.docker.compose.project=$name")
  [ -n "$containers" ] || return 0
  for each in $(docker ps --quiet "${labels[@]}" --filter label=com.docker.compose.service=app); do
    # Docker passes its configured proxies to every container. http.client ignores them.
    until docker exec "$each" python -c 'import http.client, os
connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=5)
connection.request("GET", "/readyz")
assert connection.getresponse().status == 200' 2>/dev/null; do
      [ $SECONDS -lt $end ] || die "the database is ready, but the app is not: docker logs $each tells why"
      sleep 0.2
    done
  done
}

# --- The volume's files ---------------------------------------------------------------------------------------------

inside() { docker exec "$helper" "$@" 3>&-; }

# attempt WHAT NEXT COMMAND…: runs a command. If it fails, dies with what failed and what to do. On a terminal,
# it shows the progress of tar.
attempt() {
  local what=$1 next=$2 errors
  shift 2
  { errors=$("$@" 2>&1 >&4 3>&- | progress); } 4>&1 || die "$what (${errors%%$'\n'*}): $next"
}

# tar's checkpoint lines, one per thousand records of 10 KiB, drive the progress display. Everything else is an error,
# and is passed on.
progress() {
  local line
  while IFS= read -r line; do
    if [[ ! $line =~ ^tar:\ ([0-9]+)$ ]]; then
      echo "$line"
    elif [ -t 2 ]; then
      printf '\r%s MB of %s MB' $((BASH_REMATCH[1] * 10240 / 1000000)) $((bytes / 1000000)) >&2
    fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
}
checkpoint=(--checkpoint=1000 --checkpoint-action=echo=%u)

# Checks first: a full disk would take the database down as well.
room() {
  [ "$(inside df --block-size=1 --output=avail "$1" | tail -n 1)" -gt "$2" ] ||
    die "Docker's disk has no room for another $(megabytes "$2"): make some (docker system df), and run this again"
}

# Writes a backup; sets file, and documents.
save() {
  local begun=$SECONDS stopped
  count || true
  # While the database is stopped, its files are only copied: compressing and writing them takes much longer.
  bytes=$(inside du --summarize --bytes /data/db 2>/dev/null | cut -f 1) || true # a file may disappear while du runs
  room /copy "$bytes"
  stopped=$SECONDS
  stop
  attempt "the volume cannot be copied" "give Docker's disk room (docker system df), and run this again" \
    docker exec "$helper" cp --archive /data/db /copy/data
  start
  stopped=$((SECONDS - stopped))

  inside sh -c 'printf %s "$1" >/copy/manifest' sh "image=$image"$'\n'"documents=$documents"$'\n'"bytes=$bytes"
  attempt "$folder cannot hold the backup" "give its disk room, or give another folder" \
    docker exec "$helper" \
    tar --create --gzip --numeric-owner "${checkpoint[@]}" --directory /copy manifest data >"$part"
  file=$folder/$name-$(date -u +%Y%m%dT%H%M%SZ)-$(digest "$part").tar.gz
  mv "$part" "$file"
  echo "$file: $documents documents, $(megabytes "$(wc -c <"$file")"), in $((SECONDS - begun)) s" \
    "(the database was stopped for $stopped s)"
}

# The restored files wait in .restore/new, on the same volume, so that putting them in place only takes renaming. At
# every moment the old data are complete, and can be distinguished from the new: if .restore/moving exists, all files
# beside .restore are old; if .restore/old exists, they are new.
take_place() {
  inside sh -euc 'cd /data/db
    sync -f .
    mkdir .restore/moving
    find . -mindepth 1 -maxdepth 1 ! -name .restore -exec mv -t .restore/moving {} +
    mv .restore/moving .restore/old
    find .restore/new -mindepth 1 -maxdepth 1 -exec mv -t . {} +'
}

put_back() {
  inside sh -euc 'cd /data/db
    if [ -e .restore/old ]; then
      find . -mindepth 1 -maxdepth 1 ! -name .restore -exec rm -rf {} +
      mv .restore/old .restore/moving
    fi
    [ ! -e .restore/moving ] || find .restore/moving -mindepth 1 -maxdepth 1 -exec mv -t . {} +
    rm -rf .restore'
}

keep() {
  inside sh -euc 'cd /data/db/.restore
    mv old rubbish # from here on, nothing is put back
    rm -rf /data/db/.restore'
}

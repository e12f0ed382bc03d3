#!/usr/bin/env bash
# Runs in the container secrets-init, before all others: refuses invalid secrets, copies valid ones to the volumes of
# the services that need them, and MongoDB's scripts to its volume. scripts/secrets also runs it after each change.
set -euo pipefail
umask 077

refuse() {
  echo "secrets/$1 $2: scripts/secrets init $3" >&2
  exit 1
}

# need NAME TEXT REGEX: refuses a secret that is empty, an example, or not in the form its users accept.
need() {
  local example='example|change|password|secret|placeholder|0123456789|1234567890'
  [ -n "${2//[[:space:]]/}" ] || refuse "$1" 'is empty' 'makes it'
  # The service's name may contain such a word, but its password may not.
  ! grep -Eiq "$example" <<<"${2//@mongodb:27017\/flask-mongo-app/}" || refuse "$1" 'is an example' '--force makes others'
  [[ $2 =~ $3 ]] || refuse "$1" 'is not of the form that is needed, or shorter than 32 characters' '--force makes others'
}

# give FILE MODE USER: replaces FILE with standard input atomically, so that no reader sees half of it.
give() {
  rm -f "$1.new" # left by a killed run, and perhaps already the user's
  cat >"$1.new"
  chmod "$2" "$1.new"
  chown "$3:$3" "$1.new"
  mv "$1.new" "$1"
}

# copy NAME FOLDER USER [LINES]
copy() { head -n "${4:-2}" "/run/secrets/$1" | give "/for/$2/$1" 0400 "$3"; }

password='[A-Za-z0-9_-]{32,}'
need mongodb_root_password "$(</run/secrets/mongodb_root_password)" "^$password$"
need api_token "$(</run/secrets/api_token)" '^[!-~]{32,}$'
# One line, or two during a rotation; then the first is the app's.
url="mongodb://app-[ab]:$password@mongodb:27017/flask-mongo-app"
need database_url "$(</run/secrets/database_url)" "^$url"$'(\n'"$url)?$"

copy database_url app 10001 1
copy api_token app 10001
copy mongodb_root_password mongodb 999
copy database_url mongodb 999

for script in /scripts/*; do
  give "/for/scripts/${script##*/}" 0444 0 <"$script"
done

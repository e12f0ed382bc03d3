# shellcheck shell=bash
production() { docker compose -f docker-compose.yml -f compose.production.yml "$@"; }
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(production ps --quiet "$1")")" = healthy ]; }
mine() { [ -s secrets/database_url ] && [ -z "$(find secrets -type f -perm -040)" ]; }
hidden() { healthy app && ! docker inspect "$(production ps --quiet app)" | grep --quiet --fixed-strings --file secrets/api_token; }

up='docker compose -f docker-compose.yml -f compose.production.yml up --build --wait'
expect "the secrets are there, and yours alone" "scripts/secrets init, and chmod 600 secrets/*" mine
expect "mongodb is healthy, with its login" "$up" healthy mongodb
expect "app is healthy, and docker inspect does not show its token" "$up" hidden
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 19-secrets

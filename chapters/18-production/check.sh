# shellcheck shell=bash
production() { docker compose -f docker-compose.yml -f compose.production.yml "$@"; }
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(production ps --quiet "$1")")" = healthy ]; }
locked() { docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$(production ps --quiet app)" | grep --quiet 'true \[ALL\]'; }
mine() { [ -s secrets/database_url ] && [ -z "$(find secrets -type f -perm -040)" ]; }

up='docker compose -f docker-compose.yml -f compose.production.yml up --build --wait'
expect "the secrets are there, and yours alone" "scripts/secrets init" mine
expect "mongodb is healthy, with its login" "$up" healthy mongodb
expect "app is healthy" "$up" healthy app
expect "its file system is read-only, its rights are dropped" "$up" locked
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 18-production

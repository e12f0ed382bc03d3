# shellcheck shell=bash
healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(docker compose ps --quiet "$1")")" = healthy ]; }

expect "the network flask-mongo-app-net is there" "docker compose up --build --detach --wait" network flask-mongo-app-net
expect "mongodb is healthy" "docker compose logs mongodb" healthy mongodb
expect "app is healthy" "docker compose logs app" healthy app
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 15-compose-networks

# shellcheck shell=bash
up() { [ -n "$(docker compose ps --quiet --status running "$1")" ]; }

expect "docker-compose.yml is one that Compose can read" "scripts/chapter diff 14 shows how it should look" \
  docker compose config --quiet
expect "the service app runs" "docker compose up --build --detach" up app
expect "the service mongodb runs" "docker compose up --detach" up mongodb
expect "the app has its database" "docker compose logs app" answers /users '"users"'
expect "the data are in the volume flask-mongo-app-data" "docker compose up --detach" volume flask-mongo-app-data
done_with 14-compose

# shellcheck shell=bash
app=flask-mongo-app-app-1
released() { docker inspect --format '{{.Config.Image}}' "$app" | grep --quiet 'flask-mongo-app@sha256:'; }
rotated() { docker inspect --format '{{.HostConfig.LogConfig.Config}}' "$app" | grep --quiet max-size; }
inside() { [ "$(docker network inspect --format '{{.Internal}}' flask-mongo-app-backend)" = true ]; }

expect "the app runs an image that its digest names" "docker compose up --detach --wait, with IMAGE and the three files" released
expect "its log has a limit" "docker compose up, with compose.production.yml in COMPOSE_FILE" rotated
expect "the database's network has no way out" "docker compose up, with compose.production.yml in COMPOSE_FILE" inside
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 20-production

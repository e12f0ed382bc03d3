# shellcheck shell=bash
served() { docker top "$(docker compose -f docker-compose.yml ps --quiet app)" | grep --quiet gunicorn; }

expect "the app runs in gunicorn" "docker compose up --build --detach --wait" served
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 17-server

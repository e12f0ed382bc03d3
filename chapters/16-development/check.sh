# shellcheck shell=bash
mounted() { docker inspect "$(docker compose ps --quiet app)" | grep --quiet '"Destination": "/app/service"'; }

expect "the app runs, and answers" "docker compose up --build --detach --wait" answers /healthz
expect "your service/ is mounted into it" "docker compose up --detach, without -f" mounted
expect "the image of the tests is built" "docker compose run --rm --build tests" image flask-mongo-app:test
done_with 16-development

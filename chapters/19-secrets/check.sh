# shellcheck shell=bash
mine() { [ -s secrets/database_url ] && [ -z "$(find secrets -type f -perm -040)" ]; }
hidden() { healthy "$app" && ! docker inspect "$app" | grep --quiet --fixed-strings --file secrets/api_token; }

app=flask-mongo-app-app-1 up='docker compose -f docker-compose.yml -f compose.production.yml up --build --wait'
expect "the secrets are there, and yours alone" "scripts/secrets init, and chmod 600 secrets/*" mine
expect "mongodb is healthy, with its login" "$up" healthy flask-mongo-app-mongodb-1
expect "app is healthy, and docker inspect does not show its token" "$up" hidden
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 19-secrets

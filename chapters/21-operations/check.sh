# shellcheck shell=bash
backup() { compgen -G 'backups/flask-mongo-app-*.tar.gz'; }

expect "the app is ready" "docker compose up --build --wait" answers /readyz '"ready"'
expect "there is a backup" "scripts/backup" backup
expect "the data are there" "scripts/restore FILE" answers /users '"users":[{'
done_with 21-operations

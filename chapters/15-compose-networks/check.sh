# shellcheck shell=bash
expect "the network flask-mongo-app-net is there" "docker compose up --build --detach --wait" network flask-mongo-app-net
expect "mongodb is healthy" "docker compose logs mongodb" healthy flask-mongo-app-mongodb-1
expect "app is healthy" "docker compose logs app" healthy flask-mongo-app-app-1
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 15-compose-networks

# shellcheck shell=bash
on_it() { docker inspect --format '{{json .NetworkSettings.Networks}}' "$1" | grep --quiet '"flask-mongo-app-net"'; }

expect "the network flask-mongo-app-net is there" "docker network create flask-mongo-app-net" network flask-mongo-app-net
expect "mongodb is on it" "docker run … --network flask-mongo-app-net … mongo:8.0" on_it mongodb
expect "app is on it" "docker run … --network flask-mongo-app-net … flask-mongo-app" on_it app
expect "a user was added through the app" "curl localhost:3000/users …" answers /users '"email"'
done_with 11-networks

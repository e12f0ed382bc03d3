# shellcheck shell=bash
# on NAME: whether the container is on the network.
on() {
  docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$1" |
    grep --quiet --line-regexp flask-mongo-app-net
}

expect 'the network flask-mongo-app-net is there' 'docker network create flask-mongo-app-net' network flask-mongo-app-net
for name in mongodb app; do
  expect "$name runs" "docker run --detach --name $name --network flask-mongo-app-net …, as on the page" running "$name"
  expect "$name is on the network" "docker network connect flask-mongo-app-net $name" on "$name"
done
expect 'the app has a user in its database' 'curl localhost:3000/users …, as in "The app and its database"' \
  answers /users '"email"'
done_with 13-networks

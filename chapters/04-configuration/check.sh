# shellcheck shell=bash
bare() {
  image flask-mongo-app && ! docker run --rm flask-mongo-app ls -A | grep --quiet --line-regexp -F -e .env -e .git
}

expect "the image flask-mongo-app is built" "docker build --tag flask-mongo-app ." image flask-mongo-app
expect "neither .env nor .git is in it" "look at .dockerignore, and build again" bare
expect "you have a .env of your own" "cp .env.example .env" test -f .env
expect "the container app runs" "docker run … --name app … --env-file .env flask-mongo-app" running app
expect "it answers on port 3000" "docker logs app" answers /
done_with 04-configuration

# shellcheck shell=bash
place=localhost:5000/flask-mongo-app

in_registry() { curl --silent --fail "localhost:5000/v2/flask-mongo-app/tags/list" | grep --quiet '"1\.0\.0"'; }
by_digest() { docker image inspect --format '{{.RepoDigests}}' "$place:1.0.0" | grep --quiet "$place@sha256:"; }

expect 'a registry runs' 'docker run --detach --name registry --publish 127.0.0.1:5000:5000 registry:3' running registry
expect 'it has flask-mongo-app:1.0.0' "docker push $place:1.0.0" in_registry
expect 'your machine has it from there' "docker pull $place:1.0.0" by_digest
done_with 06-registry

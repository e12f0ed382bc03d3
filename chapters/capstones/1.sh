# shellcheck shell=bash
image=flask-mongo-app:guestbook volume=flask-mongo-app-guestbook
inspect() { docker container inspect --format "$1" guestbook 2>/dev/null; }
without_env() {
  image "$image" &&
    [ -z "$(docker run --rm --network none --user 0 --entrypoint find "$image" / -xdev -name .env)" ]
}
# Of the layers that copy and the one that installs, the last one copies.
cached() {
  docker history --no-trunc --format '{{.CreatedBy}}' "$image" | grep --extended-regexp 'COPY|ADD|pip install' |
    head -n 1 | grep --extended-regexp 'COPY|ADD'
}
not_root() { [ "$(docker exec guestbook id -u)" -gt 0 ]; }
kept() {
  local folder
  folder=$(inspect "{{range .Mounts}}{{if eq .Name \"$volume\"}}{{.Destination}}{{end}}{{end}}")
  [ -n "$folder" ] && docker exec guestbook find "$folder" -type f -size +0 | grep .
}

expect "the image $image is built" "docker build --tag $image guestbook" image "$image"
expect "it holds no .env" "list .env in guestbook/.dockerignore, and build again" without_env
expect "a change of the code does not install again" "copy requirements.txt and install before you copy the code" cached
expect "the container guestbook runs" "docker run --detach --name guestbook with your options, or docker logs guestbook" \
  running guestbook
expect "it runs as a user other than root" "USER in the Dockerfile" not_root
expect "it is healthy" "HEALTHCHECK in the Dockerfile; docker inspect guestbook shows what the check printed" \
  healthy guestbook
expect "its port is published to this machine alone" "--publish 127.0.0.1:8000:8000" for_this_machine guestbook 8000
expect "the book is served" "docker logs guestbook, and HOST in the Dockerfile" \
  curl --silent --fail --max-time 5 localhost:8000
expect "an entry is in the volume $volume" "--volume, and BOOK; then sign: curl --data Ann localhost:8000" kept
done_with capstone-1

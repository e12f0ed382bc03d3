# shellcheck shell=bash
# has NAME KIND TARGET: whether the container has such a mount.
has() {
  docker inspect --format '{{range .HostConfig.Mounts}}{{println .Type .Target}}{{end}}' "$1" |
    grep --quiet --line-regexp "$2 $3"
}
changed() { answers / && ! answers / 'Ram Ram bhai Sareya Ne'; }

expect 'the app runs' 'docker run --detach --name app …, as on the page' running app
expect 'it sees your folder service' 'give it the bind mount that is on the page' \
  has app bind /app/service
expect 'it greets as you changed it' 'change the greeting in service/__init__.py' changed
expect 'c1 has a tmpfs' 'docker run --detach --name c1 --mount type=tmpfs,target=/scratch …' has c1 tmpfs /scratch
done_with 09-mounts

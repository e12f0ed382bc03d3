#!/usr/bin/env bash
# What runs on a learner's machine: a registry that mirrors, and the engine.
set -euo pipefail

# allow_limits GROUP: let containers below this cgroup have limits. cgroup v2 gives them only below a group that has no
# process itself, and those of this machine begin in the top one: move them into another, beside the containers.
allow_limits() {
  local group=$1 process
  mkdir -p "$group/machine"
  # Refused while a process is left, as when a `docker exec` came in between.
  until sed -e 's/^/+/' -e 's/ / +/g' "$group/cgroup.controllers" >"$group/cgroup.subtree_control"; do
    while read -r process; do
      echo "$process" >"$group/machine/cgroup.procs" || true # it may have ended
    done <"$group/cgroup.procs"
  done 2>/dev/null
}

[ ! -e /sys/fs/cgroup/cgroup.controllers ] || allow_limits /sys/fs/cgroup
docker-registry serve /etc/mirror.yml >/var/log/mirror.log 2>&1 &
# Of a machine that was stopped all at once: the engine would take another process for itself.
rm -f /run/docker.pid /run/docker/containerd/containerd.pid
exec dockerd

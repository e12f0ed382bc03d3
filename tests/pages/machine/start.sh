#!/usr/bin/env bash
# What runs on a learner's machine: a registry that mirrors, and the engine.
set -euo pipefail

docker-registry serve /etc/mirror.yml >/var/log/mirror.log 2>&1 &
# Of a machine that was stopped all at once: the engine would take another process for itself.
rm -f /run/docker.pid /run/docker/containerd/containerd.pid
exec dockerd

# shellcheck shell=bash
manager() { [ "$(docker info --format '{{.Swarm.ControlAvailable}}')" = true ]; }
replicas() { [ "$(docker service ls --filter "name=$1" --format '{{.Replicas}}')" = "$2" ]; }
web() { docker service inspect --format "$1" web | grep --quiet --fixed-strings -e "$2"; }

expect "this engine is a swarm" "docker swarm init --advertise-addr 127.0.0.1" manager
expect "mongodb runs" "docker service create --name mongodb …" replicas mongodb 1/1
expect "web has three replicas" "docker service create --name web --replicas 3 …" replicas web 3/3
expect "the new greeting is there" "docker service update --env-add GREETING=… web" \
  web '{{.Spec.TaskTemplate.ContainerSpec.Env}}' GREETING=
expect "the broken version was rolled back" "docker service update --env-add PORT=none web" \
  web '{{.UpdateStatus.State}}' rollback_completed
done_with 22-scale-out

# shellcheck shell=bash
hardened() {
  local host='{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}'
  docker inspect --format "$host" "flask-mongo-app-$1-1" |
    grep --quiet '^true \[ALL\] \[no-new-privileges:true\] [1-9][0-9]* [1-9]'
}

up='docker compose -f docker-compose.yml -f compose.production.yml up --build --wait'
expect "app has a read-only file system, no capabilities and limits" "$up" hardened app
expect "so has mongodb" "$up" hardened mongodb
expect "the app is ready" "docker compose logs app" answers /readyz '"ready"'
done_with 18-hardening

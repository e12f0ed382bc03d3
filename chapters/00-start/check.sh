# shellcheck shell=bash
expect "Docker's engine answers" "start Docker Desktop, or sudo systemctl start docker" docker version
expect "Compose is there" "install Docker's plug-in docker-compose-plugin" docker compose version
expect "Buildx is there" "install Docker's plug-in docker-buildx-plugin" docker buildx version
expect "the container hello ran, and ended well" "docker run --name hello hello-world" ended_well hello
done_with 00-start

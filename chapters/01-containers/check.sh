# shellcheck shell=bash
expect "the image nginx:1.30 is here" "docker pull nginx:1.30" image nginx:1.30
expect "the container hello ran, and ended well" "docker run --name hello hello-world" ended_well hello
expect "the container web runs" \
  "docker run --detach --publish 127.0.0.1:8080:80 --name web nginx:1.30, or docker start web" running web
expect "it answers on port 8080" "docker logs web" curl --silent --fail --max-time 5 localhost:8080
done_with 01-containers

# shellcheck shell=bash
project=com.docker.compose.project=flask-mongo-app
admin=$(docker ps --quiet --filter label=$project --filter label=com.docker.compose.service=admin)
inspect() { docker container inspect --format "$1" "$admin" 2>/dev/null; }
from_nginx() { [ "$(inspect '{{.Config.Image}}')" = nginx:1.30 ]; }
restarts() { inspect '{{.HostConfig.RestartPolicy.Name}}' | grep --extended-regexp 'always|unless-stopped'; }
in_order() { inspect '{{index .Config.Labels "com.docker.compose.depends_on"}}' | grep 'app:service_healthy'; }
get() { curl --silent --fail --max-time 5 "localhost:8080$1"; }
own_page() { get / | grep --invert-match 'Welcome to nginx' | grep --ignore-case '<h1>'; }
passes_on() { get /api/users | grep '"users"'; }

expect "the app answers" "docker compose up --build --detach --wait" answers /readyz '"ready"'
expect "the service admin runs" "add it to compose.admin.yml, and name both files with -f" [ -n "$admin" ]
expect "its image is nginx:1.30" "image:" from_nginx
expect "its port is published to this machine alone" 'ports: ["127.0.0.1:8080:80"]' \
  for_this_machine "$admin" 8080
expect "it starts when the app is healthy" "depends_on, with a condition" in_order
expect "it is healthy" "healthcheck; docker inspect shows what the check printed" \
  healthy "$admin"
expect "it is restarted after a fault" "restart:" restarts
expect "it shows a page of yours" "mount a page with an <h1> at /usr/share/nginx/html/index.html" own_page
expect "it passes /api/ on to the app" "proxy_pass in a configuration of yours, mounted in /etc/nginx/conf.d" passes_on
done_with capstone-2

# shellcheck shell=bash
serves_3000() { docker image inspect --format '{{json .Config.ExposedPorts}}' flask-mongo-app | grep --quiet 3000/tcp; }

expect "the image flask-mongo-app is built" "docker build -t flask-mongo-app ." image flask-mongo-app
expect "it serves port 3000" "it is another one: docker build -t flask-mongo-app ." serves_3000
expect "the container app runs" \
  "docker run --detach --init --publish 127.0.0.1:3000:3000 --name app flask-mongo-app, or docker start app" running app
expect "its port is published to this machine alone" "docker rm --force app, and run it with 127.0.0.1" \
  for_this_machine app 3000
expect "the app answers" "docker logs app" answers / "Ram Ram"
done_with 03-dockerfile

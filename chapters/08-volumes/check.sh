# shellcheck shell=bash
at_data_db() {
  [ "$(docker inspect --format '{{range .Mounts}}{{if eq .Destination "/data/db"}}{{.Name}}{{end}}{{end}}' mongodb)" = "$1" ]
}
has_users() {
  docker exec mongodb mongosh --quiet flask-mongo-app --eval 'db.users.countDocuments()' | grep --quiet '^[1-9]'
}

expect 'the volume flask-mongo-app-data is there' 'docker volume create flask-mongo-app-data' volume flask-mongo-app-data
expect 'the database runs' 'docker run --detach --name mongodb …, as in "With a volume"' running mongodb
expect 'its data are in the volume' 'docker rm --force mongodb, and run it with --volume flask-mongo-app-data:/data/db' \
  at_data_db flask-mongo-app-data
expect 'there is a user' 'insert one, as in "With a volume"' has_users
done_with 08-volumes

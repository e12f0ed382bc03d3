# shellcheck shell=bash
id() { docker image inspect --format '{{.Id}}' "flask-mongo-app:$1"; }
same() { image "flask-mongo-app:$1" && [ "$(id "$1")" = "$(id "$2")" ]; }
labelled() { docker image inspect "flask-mongo-app:$1" --format '{{json .Config.Labels}}' | grep --quiet "\"$1\""; }

expect "flask-mongo-app:1.0.0 is there" "scripts/image build 1.0.0" image flask-mongo-app:1.0.0
expect "its label says so" "scripts/image build 1.0.0, which fills it in" labelled 1.0.0
expect "latest is the highest release" "scripts/image tag 1.1.0" same latest 1.1.0
expect "prod is 1.0.0" "scripts/image promote 1.0.0 prod" same prod 1.0.0
done_with 05-image-tags

# shellcheck shell=bash
expect "the packages are in .venv" \
  "python3 -m venv .venv, and then .venv/bin/python -m pip install -r requirements-dev.txt" \
  .venv/bin/python -c 'import dotenv, flask, pymongo, pytest'
expect "your settings are in .env" "cp .env.example .env" test -f .env
expect "a MongoDB runs" "docker run --detach --rm --name mongodb --publish 127.0.0.1:27017:27017 --env GLIBC_TUNABLES=glibc.pthread.rseq=1 mongo:8.0" running mongodb
expect "the app answers on port 3000" ".venv/bin/python -m service, in a second terminal" answers / "Ram Ram"
done_with 02-flask-app

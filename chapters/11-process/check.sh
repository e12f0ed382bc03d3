# shellcheck shell=bash
was_killed() { [ "$(docker container inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1")" = "exited 137" ]; }
# is_first NAME: whether the program is process 1 of the container.
is_first() { docker exec "$1" cat /proc/1/cmdline | tr '\0' ' ' | grep --quiet '^python greet\.py'; }

expect 'c1 was killed: its shell did not pass TERM on' 'run c1 from the image in shell form, and docker stop c1' \
  was_killed c1
expect 'c2 ended by itself' 'run c2 from the image in exec form, and docker stop c2' ended_well c2
expect 'in app, the program is process 1' 'run app from flask-mongo-app:script, as in "A script before the program"' \
  is_first app
expect 'web ended by itself' 'repair the script, as under "Repair", run web again, and stop it' ended_well web
done_with 11-process

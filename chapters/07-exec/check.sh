# shellcheck shell=bash
noted() { docker exec app test -s /tmp/note; }

expect 'the app runs' 'docker run --detach --name app …, as at the top of the page' running app
expect 'you left a note in it' "docker exec app sh -c 'echo here >/tmp/note'" noted
done_with 07-exec

# shellcheck shell=bash
copy=../notes-api
commits() { [ "$(git -C "$copy" rev-list --count HEAD)" -ge 2 ]; }

expect "the copy is there" "scripts/new-service notes-api $copy" test -d "$copy/service"
expect "it is a repository with a commit of yours" "git commit, in $copy" commits
expect "it serves notes" "docker compose up --build --wait, in $copy" answers /notes '"notes":['
done_with 23-your-service

#!/usr/bin/env bash
# What Docker has no command for: the tags that a registry has. For scripts/image, whose die, match and verb it uses.
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags

# registry_tags HOST NAME: the tags of ghcr.io me/app, one a line; none where the registry does not know the name.
registry_tags() {
  local host=$1 name=$2 base=https://$1 page="/v2/$2/tags/list?n=1000" authorization='' answer status
  case $host in
    localhost | localhost:* | 127.*) base=http://$host ;; # as docker does
    docker.io) base=https://registry-1.docker.io ;;
  esac
  while [ -n "$page" ]; do
    answer=$(get "$authorization" "$base$page") || die "the registry $host does not answer: start it, or check its name"
    status=${answer##*$'\n'}
    if [[ $status == 401 && -z $authorization ]] && authorization=$(authorization_for "$host" "$name" "$answer"); then
      continue
    fi
    case $status in
      200) ;;
      404) return ;;
      401 | 403)
        # To one who is logged in, a registry may say so of a name that is not there yet. The push will tell.
        if [[ ${verb-} == build && $status == 403 && -n $authorization ]]; then return; fi
        die "$host does not let you read $name: docker login $host, and run this again"
        ;;
      *) die "the registry $host answers with HTTP status $status: check its name, or try again later" ;;
    esac
    match "$answer" '"tags": *\[([^]]+)\]' | tr -d '"[:space:]' | tr , '\n' || true # none is null in some registries
    echo
    page=$(match "$answer" '[Ll]ink: *<([^>]+)>') || page=''
    page=${page#"$base"}
  done
}

# get AUTHORIZATION CURL-ARGUMENT…: the answer's headers, its body and, as the last line, its status.
get() {
  # The header comes by standard input: arguments can be read by all who may list the processes.
  curl --silent --include --max-time 60 --write-out '\n%{http_code}' --config - "${@:2}" \
    <<<"${1:+header = \"Authorization: $1\"}"
}

# authorization_for HOST NAME ANSWER: the Authorization header that this answer 401 asks for; fails where there is none.
# https://distribution.github.io/distribution/spec/auth/token/
authorization_for() {
  local login realm service token
  login=$(stored_login "$1") || login=''
  if realm=$(match "$3" '[Bb]earer .*realm="([^"]+)"'); then
    service=$(match "$3" 'service="([^"]+)"') || service=''
    token=$(get "${login:+Basic $login}" --get "$realm" \
      --data-urlencode "service=$service" --data-urlencode "scope=repository:$2:pull") || return
    token=$(match "$token" 'token": *"([^"]+)"') && echo "Bearer $token"
  else
    [ -n "$login" ] && echo "Basic $login"
  fi
}

# stored_login HOST: what `docker login` stored, as base64 of user:password; fails where there is no login.
stored_login() {
  local key=$1 config helper login user secret
  [ "$key" != docker.io ] || key=https://index.docker.io/v1/
  config=$(tr -d '[:space:]' 2>/dev/null <"${DOCKER_CONFIG:-$HOME/.docker}/config.json") || return
  if helper=$(match "$config" "\"credHelpers\":\\{[^}]*\"$key\":\"([^\"]+)\"") ||
    helper=$(match "$config" '"credsStore":"([^"]+)"'); then
    login=$("docker-credential-$helper" get <<<"$key" 2>/dev/null) || return
    user=$(match "$login" '"Username": *"([^"]+)"') && secret=$(match "$login" '"Secret": *"([^"]+)"') &&
      printf %s "$user:$secret" | base64 | tr -d '\n'
  else
    match "$config" "\"$key\":\\{[^}]*\"auth\":\"([^\"]+)\""
  fi
}

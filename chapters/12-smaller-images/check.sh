# shellcheck shell=bash
size() { docker image inspect --format '{{.Size}}' "flask-mongo-app:$1"; }
smaller() { [ "$(size two)" -lt "$(size one)" ]; }
lines_of() { docker history --no-trunc --format '{{.CreatedBy}}' "flask-mongo-app:$1"; }
without_tools() { image flask-mongo-app:two && ! lines_of two | grep --quiet ruff; }

expect 'you built in one stage' 'build flask-mongo-app:one, as in "What need not be there"' image flask-mongo-app:one
expect 'you built in several stages' 'build flask-mongo-app:two, as in "Several stages"' image flask-mongo-app:two
expect 'that image is smaller' 'compare Dockerfile.two with the page, and build again' smaller
expect 'it has no ruff' 'the last stage of Dockerfile.two must not install it' without_tools
expect 'you built the stage check' 'docker build --target check …, as in "One stage alone"' image flask-mongo-app:check
done_with 12-smaller-images

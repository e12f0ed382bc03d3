# shellcheck shell=bash
# order: whether the packages were installed below the code. The history begins with the newest instruction.
order() {
  docker history --no-trunc --format '{{.CreatedBy}}' flask-mongo-app |
    sed -n -e 's/^COPY service .*/code/p' -e 's/.*pip install.*/packages/p' | tr '\n' ' ' | grep --quiet '^code packages'
}

expect 'you built in the old order' 'build flask-mongo-app:before, as in "The old order"' image flask-mongo-app:before
expect 'you built in the new order' 'docker build --tag flask-mongo-app .' image flask-mongo-app
expect 'its packages are below its code' 'compare the Dockerfile with that on the page, and build again' order
done_with 10-layers

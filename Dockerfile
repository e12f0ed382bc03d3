# The official image, on Debian: PyPI's usual wheels fit it, unlike Alpine. Choose another one with --build-arg.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

# --- Shared by all stages --------------------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS base
# Print at once, not when a buffer is full: otherwise the last lines before a crash are lost.
ENV PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH
WORKDIR /app
# gunicorn finishes its requests in flight on SIGTERM.
STOPSIGNAL SIGTERM
EXPOSE 3000
# start-interval: healthy within a second of being up, though the check itself is rare later on.
HEALTHCHECK --interval=30s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python", "service/healthcheck.py"]

# --- The requirements, in a virtual environment that the other stages copy or add to ---------------------------------
FROM base AS requirements
# Where pip downloads from, if not from PyPI. No default: unless it is set, pip uses its own.
ARG PIP_INDEX_URL
# Without pip: the image's own pip installs into it from outside.
RUN python -m venv --without-pip /opt/venv
# Before the code: this layer stays cached until a requirement changes.
COPY requirements.txt .
# The cache mount keeps pip's downloads on the builder, not in a layer.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement requirements.txt

# --- Development: live reload ----------------------------------------------------------------------------------------
FROM requirements AS dev
COPY requirements-dev.txt .
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/venv/bin/python install --require-hashes --requirement requirements-dev.txt
# Only the owner can read a clone made with umask 077, and the user below is not the owner.
COPY --chmod=755 service service
# A number, not a name: Kubernetes' runAsNonRoot and hadolint can verify it.
USER 10001
# The same server as in production, restarted when a file changes.
CMD ["watchfiles", "gunicorn --config service/gunicorn.conf.py", "service"]

# --- Tests: docker compose run --rm --build tests --------------------------------------------------------------------
FROM dev AS test
HEALTHCHECK NONE
# The tests themselves are mounted; no image contains them.
CMD ["pytest", "-p", "no:cacheprovider", "tests/unit", "tests/api"]

# --- Production, the default target ----------------------------------------------------------------------------------
FROM base AS production
# Nothing is installed at run time, so remove pip. Running it leaves 5 MB of bytecode of Python's own modules, which the
# image lacks and the service would otherwise compile at every start.
RUN pip uninstall --yes --root-user-action=ignore pip
COPY --from=requirements /opt/venv /opt/venv
# Readable by the user below, whatever the clone's umask. Only Engine 28 and newer also accept u=rwX,go=rX.
COPY --chmod=755 service service
# The user below cannot write the bytecode, and without it every start compiles again.
RUN python -m compileall -q service
USER 10001

# Last, since they differ in each build: https://specs.opencontainers.org/image-spec/annotations/
ARG VERSION=dev
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="flask-mongo-app" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MIT"
# The running service gets these two as well: /about shows them.
ENV VERSION=${VERSION} \
    REVISION=${REVISION}

# Exec form: gunicorn itself is process 1 and gets the signal, without a shell in between.
CMD ["gunicorn", "--config", "service/gunicorn.conf.py"]

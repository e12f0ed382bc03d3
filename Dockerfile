# The official image, on Debian: wheels from PyPI fit it as they are, unlike Alpine. Another one by --build-arg.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

# --- What all stages share -------------------------------------------------------------------------------------------
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
# Where pip downloads from, if not from PyPI. No default, so that pip's own stands while it is not set.
ARG PIP_INDEX_URL
# Without pip in it: the image's own pip fills it from outside.
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
# A clone made with umask 077 is readable by its owner alone, and the user below is somebody else.
COPY --chmod=755 service service
# A number, not a name: Kubernetes' runAsNonRoot and hadolint can verify it.
USER 10001
# The same server as in production, started again when a file changes.
CMD ["watchfiles", "gunicorn --config service/gunicorn.conf.py", "service"]

# --- Tests: docker compose run --rm --build tests --------------------------------------------------------------------
FROM dev AS test
HEALTHCHECK NONE
# The tests themselves are mounted: they are no part of any image.
CMD ["pytest", "-p", "no:cacheprovider", "tests/unit", "tests/api"]

# --- Production, the default target ----------------------------------------------------------------------------------
FROM base AS production
# Nothing is installed in a running container, so what could do it goes. pip leaves 5 MB: the bytecode of Python's own
# modules, which the image lacks, and which the service would otherwise compile at every start.
RUN pip uninstall --yes --root-user-action=ignore pip
COPY --from=requirements /opt/venv /opt/venv
# Readable by the user below, whatever the umask of the clone. Only Engine 28 and newer also take u=rwX,go=rX.
COPY --chmod=755 service service
# The user below cannot write the bytecode, and without it every start compiles anew.
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
# The same two for the running service: the page shows them.
ENV VERSION=${VERSION} \
    REVISION=${REVISION}

# Exec form: gunicorn is process 1 itself and gets the signal, no shell between.
CMD ["gunicorn", "--config", "service/gunicorn.conf.py"]

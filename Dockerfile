# The operator: non-root, nothing written to its root file system.
#   docker build -t feem.dev/operator:0.1.0 .
# A build without network gives PIP_NO_INDEX=1 and has the wheels of pyproject.toml in build/wheels.
FROM docker.io/library/python:3.11-slim-bookworm AS build
ARG PIP_NO_INDEX=0
ARG PIP_FIND_LINKS=/wheels
WORKDIR /src

# What is needed changes seldom and is a layer of its own; the operator's own code follows in a small one.
COPY pyproject.toml build/wheels* /wheels/
RUN cd /wheels \
 && python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*project['dependencies'], *project['optional-dependencies']['postgres'], sep='\n')" > needed.txt \
 && python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" > build.txt \
 && pip install --no-cache-dir --root-user-action=ignore -r build.txt \
 && pip install --no-cache-dir --root-user-action=ignore --target /opt/feem/needed -r needed.txt
COPY pyproject.toml README.md LICENSE* CHANGELOG* ./
COPY operator/feem operator/feem
COPY policies policies
RUN pip install --no-cache-dir --root-user-action=ignore --no-build-isolation --no-deps --target /opt/feem/own .

FROM docker.io/library/python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="feem" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/feem/needed /opt/feem/needed
COPY --from=build /opt/feem/own /opt/feem/own
ENV PYTHONPATH=/opt/feem/own:/opt/feem/needed PATH=/opt/feem/own/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["feem"]
CMD ["operator"]

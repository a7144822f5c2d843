# The reference shop, Loadstone and its workers: one image, run as a user without rights, from a read-only root.
ARG PYTHON=python:3.11.13-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /app
COPY requirements requirements
COPY tools/make_env tools/make_env
COPY pyproject.toml README.md LICENSE ./
COPY loadstone loadstone
# everything comes as wheels, pinned and hashed: no compiler, here or in the final image
RUN REQUIREMENTS=requirements/run.txt bash tools/make_env .venv

FROM ${PYTHON}
# PostgreSQL's initdb and a server under test refuse to be root
RUN useradd --create-home --uid 10001 loadstone && mkdir -p /app/reports /app/.loadstone \
 && chown loadstone /app/reports /app/.loadstone
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY pyproject.toml README.md loadstone.toml ./
COPY loadstone loadstone
COPY target_app target_app
COPY scenarios scenarios
COPY prometheus prometheus
COPY deploy/compose/serve /usr/local/bin/serve
USER loadstone
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["loadstone"]
CMD ["--help"]

# The reference shop, Loadstone and its workers: one image, run as a user without rights, from a read-only root.
ARG PYTHON=python:3.11.13-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /app
COPY requirements requirements
COPY tools/make_env tools/make_env
COPY pyproject.toml README.md LICENSE ./
COPY loadstone loadstone
# everything comes as wheels, pinned and hashed: no compiler, here or in the image
RUN REQUIREMENTS=requirements/run.txt bash tools/make_env .venv

FROM ${PYTHON} AS plain
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

# The same with the driver of MySQL and MariaDB, which is compiled: `docker build --target mariadb`.
FROM ${PYTHON} AS driver
COPY requirements/mariadb.txt .
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config >/dev/null \
 && pip install --quiet --no-deps --require-hashes --target /driver -r mariadb.txt

FROM plain AS mariadb
USER root
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libmariadb3 >/dev/null && rm -rf /var/lib/apt/lists/*
COPY --from=driver /driver /app/driver
USER loadstone
ENV PYTHONPATH=/app/driver

FROM plain

# Loadstone with its target: one image for the run and for its workers.
FROM python:3.11-slim

# PostgreSQL's initdb and a server under test should not be root
RUN useradd --create-home --uid 10001 loadstone && mkdir /app && chown loadstone /app
WORKDIR /app
USER loadstone

COPY --chown=loadstone requirements requirements
COPY --chown=loadstone tools tools
COPY --chown=loadstone pyproject.toml README.md loadstone.toml ./
COPY --chown=loadstone loadstone loadstone
COPY --chown=loadstone target_app target_app
COPY --chown=loadstone scenarios scenarios
RUN bash tools/make_env .venv && mkdir reports

ENV PATH=/app/.venv/bin:$PATH
ENTRYPOINT ["loadstone"]
CMD ["--help"]

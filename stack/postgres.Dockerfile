# PostgreSQL with what the orchestrator and its tests use; built by `make up` where Docker answers.
ARG BASE=postgres:15
FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      postgresql-15-cron postgresql-15-pgtap postgresql-15-plpgsql-check \
 && rm -rf /var/lib/apt/lists/*

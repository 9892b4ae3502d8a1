#!/usr/bin/env bash
# As the official image: initdb once, with POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB; then the server.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown postgres:postgres "$PGDATA"
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -e "$PGDATA/PG_VERSION" ]; then
  initdb -U "$POSTGRES_USER" -A scram-sha-256 --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") -E UTF8 >/dev/null
  printf 'host all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
  printf 'create database "%s"\n' "$POSTGRES_DB" | postgres --single -j -D "$PGDATA" postgres >/dev/null
fi
exec "$@" -c listen_addresses='*'

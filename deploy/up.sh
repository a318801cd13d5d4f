#!/bin/sh
# Starts compose.yaml and waits until it is healthy; makes the secrets if there
# are none. Arguments go to `docker compose up`.
set -eu
cd "$(dirname "$0")"
umask 077

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

if [ ! -e .env ]; then
  # printf is the shell's own: the password is on no command line.
  { grep -v '^POSTGRES_PASSWORD=' .env.example
    printf 'POSTGRES_PASSWORD=%s\n' "$(random)"; } > .env.new
  mv .env.new .env
  echo "made deploy/.env with a password for the database"
fi

# Compose hands a secret's file to the container as it is, with its owner and
# mode, and the server runs as another user: the file is open, its folder is not.
mkdir -p secrets
chmod 700 secrets
if [ ! -e secrets/secret_key ]; then
  random > secrets/secret_key.new
  chmod 444 secrets/secret_key.new
  mv secrets/secret_key.new secrets/secret_key
  echo "made deploy/secrets/secret_key; keep a copy: without it nobody stays signed in"
fi

exec docker compose --file compose.yaml --env-file .env up --detach --build --wait "$@"

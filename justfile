# `just` lists these; each is one plain command.

_default:
    @just --list

# Start the server on http://127.0.0.1:8000
run *args:
    cargo run -- {{args}}

# Run every check there is
test:
    bash tests/run.sh

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

# Measure hashing and token verification
bench:
    cargo bench -p portcullis-crypto

# Build the crates' documentation
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

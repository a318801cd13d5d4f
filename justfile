# `just` lists these; each is one plain command.

_default:
    @just --list

# Start the server on http://127.0.0.1:8000
run *args:
    cargo run -- {{args}}

# Run every check there is
test:
    bash tests/run.sh

# Look for inputs that break a parser, a session or an endpoint: minutes per parser
fuzz minutes="5":
    bash tests/fuzz.sh $(({{minutes}} * 60))
    PROPTEST_CASES=5000 cargo test -p portcullis-tests -p portcullis-conformance model
    FUZZ_REQUESTS=250000 cargo test -p portcullis-tests --test attacks fuzz

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

# Measure hashing and token verification
bench:
    cargo bench -p portcullis-crypto

# Build the crates' documentation
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

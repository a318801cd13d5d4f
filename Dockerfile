# Builds and runs Portcullis; deploy/README.md says how.
#
# Needs BuildKit, Docker's builder since version 23.

# The compiler's version is pinned; CI builds with the same.
FROM rust:1.95-slim-bookworm AS builder
WORKDIR /build
COPY . .
# What differs by architecture must not share a cache.
ARG TARGETARCH
# The caches keep dependencies, compiled, from one build to the next: only our
# own crates are built anew. Cargo trusts a file's age, and sources of another
# checkout may be older than what the cache was made of: hence `touch`.
RUN --mount=type=cache,id=portcullis-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=portcullis-target-${TARGETARCH},target=/build/target,sharing=locked \
    find crates migrations -type f -exec touch {} + \
 && cargo build --release --locked --bin portcullis \
 && install -D target/release/portcullis /out/portcullis


FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Portcullis" \
      org.opencontainers.image.description="A self-hosted authentication service" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
# Certificates of authorities, for databases and mail services over TLS. Their
# version is not pinned: a new build is to bring the newest. The user's ids are
# fixed, so that volumes keep their owner when the image changes.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --no-install-recommends -y ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 portcullis \
 && useradd --system --uid 10001 --gid 10001 --no-create-home \
      --home-dir /var/lib/portcullis --shell /usr/sbin/nologin portcullis \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/portcullis
COPY --from=builder /out/portcullis /usr/local/bin/portcullis

# By number, so that orchestrators can tell it is not root.
USER 10001:10001
# The embedded database goes to data/ in here. Nothing else is ever written:
# the root file system may be read-only.
WORKDIR /var/lib/portcullis
VOLUME ["/var/lib/portcullis"]
# A container's loopback is reached by nobody.
ENV HOST=0.0.0.0
EXPOSE 8000
# The server finishes requests under way, for SHUTDOWN_GRACE (30s): give it
# more than Docker's 10 s with `docker stop --time 40`.
STOPSIGNAL SIGTERM
# `healthcheck` gives up after 5 s by itself.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
  CMD ["portcullis", "healthcheck"]
ENTRYPOINT ["portcullis"]
CMD ["serve"]

#!/usr/bin/env bash
# Runs once more, one by one and with nothing beside them, the tests that failed in a
# log of `cargo test --no-fail-fast`, and says which they were.
#
# Many tests measure how long something takes, on a machine that runs other tests as
# well. One that fails by itself too is broken. One that passes is unsteady: it should
# be mended, and is named at the end. More than a few are not excused, and neither is
# a test program that did not build or did not end by itself.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$1
most=3

# How cargo lists, at its end, the programs that failed.
# shellcheck disable=SC2016 # cargo quotes so
listing='^ +`-p [a-z0-9-]+ (--[a-z]+( [a-z0-9_-]+)?)`$'
mapfile -t programs < <(sed -nE "s/$listing/\\1/p" "$log" | sort -u)
mapfile -t failed < <(sed -nE 's/^test (.+) \.\.\. FAILED$/\1/p' "$log" | sort -u)

if [ ${#programs[@]} = 0 ] || [ ${#failed[@]} = 0 ] || [ ${#failed[@]} -gt "$most" ]; then
  echo "${#failed[@]} tests failed: at most $most are run again" >&2
  exit 1
fi

# A program that was cut off has tests that never ran, whichever of its others failed.
listed=$(grep -cE "$listing" "$log" || true)
ended=$(grep -c '^test result: FAILED' "$log" || true)
if [ "$listed" != "$ended" ]; then
  echo "$listed test programs failed, and $ended of them ended by themselves" >&2
  exit 1
fi

passed=0
for program in "${programs[@]}"; do
  # Of the whole workspace: of one package alone, more would have to be built anew.
  # shellcheck disable=SC2086 # its flags are words
  cargo test --workspace $program -- --exact --test-threads 1 "${failed[@]}" 2>&1 | tee -a "$log" |
    tee target/again.log
  of_program=$(grep -c '^test .* \.\.\. ok$' target/again.log || true)
  if [ "$of_program" = 0 ]; then
    echo "none of the tests that failed is in: $program" >&2
    exit 1
  fi
  passed=$((passed + of_program))
done
if [ "$passed" -lt ${#failed[@]} ]; then
  echo "$passed of ${#failed[@]} tests that failed passed by themselves" >&2
  exit 1
fi
printf 'unsteady, passed by itself: %s\n' "${failed[@]}"

#!/usr/bin/env bash
# Fuzzes every parser that reads what others write.
#
#   tests/fuzz.sh [SECONDS] [TARGET…]     SECONDS per target, 10 by default
#
# Stable Rust is enough: coverage without a sanitizer, since no crate here may
# hold unsafe code. What is found lies in target/fuzz/artifacts; run the target's
# program in target/fuzz on it to see it again. Inputs that reached new code are
# kept in target/fuzz/corpus and tried first the next time.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-10}
shift || true
case $seconds in
  *[!0-9]* | '') sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

tools=$PWD/target/tools
if ! [ -x "$tools/bin/cargo-fuzz" ]; then
  echo "installing cargo-fuzz into target/tools"
  cargo install cargo-fuzz --version '^0.13' --locked --quiet --root "$tools"
fi
export PATH=$tools/bin:$PATH CARGO_TARGET_DIR=$PWD/target/fuzz

cargo fuzz build --fuzz-dir tests/fuzz --sanitizer none
if [ $# = 0 ]; then
  mapfile -t targets < <(cargo fuzz list --fuzz-dir tests/fuzz)
else
  targets=("$@")
fi

found=$CARGO_TARGET_DIR/artifacts/
mkdir -p "$found"
for target in "${targets[@]}"; do
  grown=$CARGO_TARGET_DIR/corpus/$target
  mkdir -p "$grown"
  program=$(echo "$CARGO_TARGET_DIR"/*/release/"$target")
  if ! "$program" "$grown" "tests/fuzz/corpus/$target" -max_total_time="$seconds" \
    -max_len=4096 -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$found$target-" \
    >"$found$target.log" 2>&1; then
    tail -n 40 "$found$target.log" >&2
    echo "fuzzing $target found something: see $found" >&2
    exit 1
  fi
  sed -n "s/^Done \([0-9]*\) runs in \([0-9]*\) second.*/$target: \1 inputs in \2 s, nothing found/p" \
    "$found$target.log"
done

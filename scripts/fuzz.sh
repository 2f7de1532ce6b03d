#!/bin/sh
# Feeds the readers of hostile bytes with libFuzzer: scripts/fuzz.sh [SECONDS [TARGET...]]
#
# Each target runs for 60 seconds by default, on its corpus in fuzz/corpus. It needs a nightly toolchain;
# where there is none, the tests do the same with a stable one (`cargo test --test fuzz`, `make soak`).
# A find is kept below fuzz/artifacts: mend the reader, and commit the bytes to the corpus of the target.
set -eu
cd "$(dirname "$0")/../fuzz"

seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(ls corpus)

cargo +nightly --version >/dev/null 2>&1 || {
    echo 'fuzz: skipped: there is no nightly toolchain (rustup toolchain install nightly)' >&2
    exit 0
}
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo 'fuzz: cargo-fuzz is not installed: cargo install cargo-fuzz --locked'
    cargo install cargo-fuzz --locked
fi

# No code of ours is unsafe, and the C code of libraries is not reached: what a sanitizer looks for is not
# here, and without one a target is several times as fast.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../target/fuzz}
cargo +nightly fuzz build --fuzz-dir . --sanitizer none
host=$(rustc +nightly -vV | sed -n 's/^host: //p')

# What libFuzzer learns goes to a folder of its own, so that the seeds stay few and small.
failed=0
for target; do
    learned=$CARGO_TARGET_DIR/corpus/$target
    mkdir -p "$learned" "artifacts/$target"
    log=$CARGO_TARGET_DIR/$target.log
    code=0
    # The program itself: a work tree that changes meanwhile is not built anew for each target.
    "$CARGO_TARGET_DIR/$host/release/$target" "$learned" "corpus/$target" -artifact_prefix="artifacts/$target/" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 >"$log" 2>&1 || code=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    echo "fuzz: $target: ${runs:-0} runs, $seconds s, peak ${peak:-?} MiB, $([ "$code" -eq 0 ] && echo 'no find' || echo "FIND, see $log")"
    [ "$code" -eq 0 ] || failed=1
done
exit "$failed"

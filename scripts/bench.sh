#!/bin/sh
# Measures linkdial beside its peers on loopback, prints tables and writes docs/benchmarks.md.
# `bench.sh dials`, `registry`, `nightly`, `stores`, `kafka` and `hdfs` measure these alone, and leave the other
# tables as they are.
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh build servers bench

echo 'bench: building (a few minutes the first time)'
cargo build --locked --release --package linkdial
cargo build --locked --package linkdial-testcontainers
# A workspace of its own, so that no peer is a dependency of the product.
target=${CARGO_TARGET_DIR:-$PWD/target}
CARGO_TARGET_DIR="$target/bench" cargo build --locked --release --manifest-path bench/Cargo.toml

exec "$target/bench/release/linkdial-bench" \
    "$target/release/linkdial" "$target/debug/linkdial-testcontainers" docs/benchmarks.md "$@"

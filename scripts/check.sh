#!/bin/sh
# What a change must pass besides its tests: formatting, lints, dependencies.
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh build lints

echo 'check: formatting'
cargo fmt --all --check
for own in bench fuzz; do
    cargo fmt --manifest-path $own/Cargo.toml --check
done

echo 'check: lints'
cargo clippy --workspace --all-targets --locked -- --deny warnings
# Workspaces of their own, which no test builds.
target=${CARGO_TARGET_DIR:-$PWD/target}
CARGO_TARGET_DIR="$target/bench" cargo clippy --manifest-path bench/Cargo.toml --locked -- --deny warnings
CARGO_TARGET_DIR="$target/fuzz" cargo check --manifest-path fuzz/Cargo.toml --locked

# Advisories are not among them: they come from a repository of their own, over the network.
if cargo deny --version >/dev/null 2>&1; then
    echo 'check: licences, bans and sources of dependencies'
    cargo deny --locked --log-level warn check bans licenses sources
else
    echo 'check: skipped: dependencies, because cargo-deny is not installed (cargo install cargo-deny --locked)'
fi

echo 'check: tests'
list=$(cargo test --workspace --locked --quiet -- --list --format terse)
ignored=$(cargo test --workspace --locked --quiet -- --list --format terse --ignored)
echo "check: $(echo "$list" | grep -c ': test$' || true) tests, $(echo "$ignored" | grep -c ': test$' || true) of them ignored"
echo "$ignored" | sed -n 's/: test$//p' | sed 's/^/check: ignored: /'

#!/bin/sh
# Runs all tests of the workspace; arguments go to `cargo test`. Servers that tests need are
# installed into a cache the first time.
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh build servers
exec cargo test --workspace --locked --no-fail-fast "$@"

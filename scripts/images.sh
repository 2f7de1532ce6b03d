#!/bin/sh
# Builds the images of the test servers where no registry offers them; those that the engine has
# already stay. Without an engine: scripts/engine.sh start
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh build servers images
cargo build --quiet --locked --package linkdial-testcontainers
exec "${CARGO_TARGET_DIR:-target}/debug/linkdial-testcontainers" images "$@"

#!/bin/sh
# Builds linkdial and its test servers and shows both at work. Ends by itself.
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh build
echo 'demo: building linkdial and its test servers (a few minutes the first time)'
cargo build --locked --package linkdial --package linkdial-testcontainers
exec "${CARGO_TARGET_DIR:-target}/debug/linkdial-testcontainers" demo "$@"

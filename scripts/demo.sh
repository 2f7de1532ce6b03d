#!/bin/sh
# Builds linkdial and its test servers and shows both at work. Ends by itself.
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh build
echo 'demo: building linkdial and its test servers (a few minutes the first time)'
cargo build --locked --package linkdial --package linkdial-testcontainers
built=${CARGO_TARGET_DIR:-target}/debug
"$built/linkdial-testcontainers" demo "$@"

# The servers and their script are gone: these lines need neither.
cat <<EOF

What to try next, in $PWD:
  $built/linkdial explain authenticate.bad-secret
  echo "CREATE LINK a AS S3 CREDENTIALS '{\"aws_acess_key_id\": \"AKIA\"}';" > /tmp/try.sql
  $built/linkdial verify /tmp/try.sql
  $built/linkdial verify --format json /tmp/try.sql
  $built/linkdial-testcontainers up s3
EOF

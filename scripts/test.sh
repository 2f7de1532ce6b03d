#!/bin/sh
# Runs all tests of the workspace; arguments go to `cargo test`. Servers that tests need are
# installed into a cache the first time. Ends with what ran in containers, and what did not.
#
#   LINKDIAL_TEST_RUNTIME   docker or local: how the servers run that have two runtimes
#   LINKDIAL_TEST_RECORD    a file that keeps every use of such a server, one a line
#   LINKDIAL_SOAK           not empty: long loops where a test has one (make soak)
#   LINKDIAL_SEED           repeats the run of a test that printed it
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh build servers

record=${LINKDIAL_TEST_RECORD:-}
if [ -z "$record" ]; then
    record=$(mktemp)
    trap 'rm -f "$record"' EXIT
fi
: >>"$record"
code=0
LINKDIAL_TEST_RECORD=$record cargo test --workspace --locked --no-fail-fast "$@" || code=$?

# Server, runtime, program, test, reason.
awk -F '\t' '
    $2 == "docker" { if (!seen[$3, $4]++) containers++; next }
    !seen[$5, $3, $4]++ { tests[$5]++; programs[$5, $3]++ }
    END {
        if (containers) print "test: " containers " tests used servers in containers"
        for (why in tests) {
            print "test: " tests[why] " tests used servers as local processes: " why
            for (key in programs) {
                split(key, part, SUBSEP)
                if (part[1] == why) print "test:   " part[2] " " programs[key]
            }
        }
    }' "$record" >&2
exit "$code"

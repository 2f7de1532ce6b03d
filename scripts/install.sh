#!/bin/sh
# Installs the program, its manual pages and its completions below a prefix.
set -eu
cd "$(dirname "$0")/.."

prefix=${1:?usage: install.sh PREFIX}
scripts/prerequisites.sh build
cargo install --path . --locked --root "$prefix"

linkdial=$prefix/bin/linkdial
place() { # FILE COMMAND...
    file=$prefix/share/$1
    shift
    mkdir -p "$(dirname "$file")"
    "$@" >"$file"
    echo "install: $file"
}
place man/man1/linkdial.1 "$linkdial" man
for command in verify apply check sweep history key explain completions man; do
    place "man/man1/linkdial-$command.1" "$linkdial" man "$command"
done
place bash-completion/completions/linkdial "$linkdial" completions bash
place zsh/site-functions/_linkdial "$linkdial" completions zsh
place fish/vendor_completions.d/linkdial.fish "$linkdial" completions fish

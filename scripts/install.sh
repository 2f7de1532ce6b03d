#!/bin/sh
# Installs the program, its manual pages and its completions below a prefix, or removes them.
#
#   install.sh PREFIX [PROGRAM]      builds the program, unless one is named that is built already
#   install.sh --uninstall PREFIX
set -eu
cd "$(dirname "$0")/.."

commands='verify apply check sweep history key key-rotate explain completions man'

usage() {
    sed -n '4,5s/^# *//p' "$0" >&2
    exit 2
}

# The files below the prefix.
files() {
    echo bin/linkdial
    echo share/man/man1/linkdial.1
    for command in $commands; do
        echo "share/man/man1/linkdial-$command.1"
    done
    echo share/bash-completion/completions/linkdial
    echo share/zsh/site-functions/_linkdial
    echo share/fish/vendor_completions.d/linkdial.fish
}

uninstall() {
    for file in $(files); do
        if [ -e "$prefix/$file" ]; then
            rm -f "$prefix/$file"
            echo "uninstall: $prefix/$file"
        fi
    done
}

# What a file holds.
content() { # FILE
    case $1 in
    */linkdial.1) "$linkdial" man ;;
    */man1/*)
        command=${1##*/linkdial-}
        # One word for each level: key-rotate is `key rotate`.
        # shellcheck disable=SC2046
        "$linkdial" man $(echo "${command%.1}" | tr - ' ')
        ;;
    */bash-completion/*) "$linkdial" completions bash ;;
    */zsh/*) "$linkdial" completions zsh ;;
    */fish/*) "$linkdial" completions fish ;;
    esac
}

install_all() {
    program=${1:-}
    if [ -z "$program" ]; then
        scripts/prerequisites.sh build
        cargo build --release --locked --package linkdial
        program=${CARGO_TARGET_DIR:-target}/release/linkdial
    fi
    linkdial=$prefix/bin/linkdial
    mkdir -p "$prefix/bin"
    # Beside the old one first: a program that runs can be replaced, not overwritten.
    cp "$program" "$linkdial.new"
    chmod 755 "$linkdial.new"
    mv -f "$linkdial.new" "$linkdial"
    for file in $(files); do
        if [ "$file" != bin/linkdial ]; then
            mkdir -p "$prefix/${file%/*}"
            content "$file" >"$prefix/$file"
            chmod 644 "$prefix/$file"
        fi
        echo "install: $prefix/$file"
    done
}

case ${1:-} in
--uninstall)
    prefix=${2:-}
    [ -n "$prefix" ] || usage
    uninstall
    ;;
'' | -*) usage ;;
*)
    prefix=$1
    install_all "${2:-}"
    ;;
esac

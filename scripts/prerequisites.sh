#!/bin/sh
# Finds what this machine lacks and installs it where it may: as root or through sudo without a
# password, with apt. Elsewhere it prints what to install and stops.
#
#   prerequisites.sh [make] [build] [lints] [servers] [images] [engine] [nightly] [look] [bench]
#
#   make      make itself
#   build     a Rust toolchain, a C compiler, root certificates, the libraries below Kafka's client
#   lints     rustfmt and clippy
#   servers   Python with venv, for the test servers that come as Python packages, Java with Maven,
#             for those that come as jars, MIT Kerberos with a client of Kafka that speaks it, and
#             libfaketime for clocks that are wrong
#   images    the docker command and debootstrap, which make images where no registry offers them
#   engine    Debian's Docker engine
#   nightly   systemd-analyze, man, shells that complete, flock and openssl, which docs/nightly is tested with
#   look      Chromium, and npm for axe-core, which look at the HTML report
#   bench     curl, kcat and rclone, which linkdial is measured beside
set -eu

rust_needed=1.94.1
java_needed=17
packages=

lacks() {
    case " $packages " in
    # A bare `return` would hand on the failure that led here.
    *" $2 "*) return 0 ;;
    esac
    echo "prerequisites: $1 is missing"
    packages="$packages $2"
}

at_least() { # VERSION MINIMUM
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

check_rust() {
    if ! command -v cargo >/dev/null 2>&1; then
        echo "prerequisites: there is no cargo; install Rust $rust_needed or newer from https://rustup.rs" >&2
        exit 1
    fi
    rust_found=$(rustc --version | cut -d ' ' -f 2 | cut -d - -f 1)
    if ! at_least "$rust_found" "$rust_needed"; then
        echo "prerequisites: rustc is $rust_found, $rust_needed or newer is needed: rustup update stable" >&2
        exit 1
    fi
}

check_build() {
    check_rust
    if ! echo '#include <stdlib.h>' | cc -E -x c - >/dev/null 2>&1; then
        lacks 'a C compiler with its headers' 'gcc libc6-dev'
    fi
    if ! [ -e /etc/ssl/certs/ca-certificates.crt ] && command -v apt-get >/dev/null 2>&1; then
        lacks 'the bundle of root certificates' 'ca-certificates'
    fi
    # librdkafka asks for a C++ compiler, has a Makefile of its own, and finds the others by pkg-config.
    command -v c++ >/dev/null 2>&1 || lacks 'a C++ compiler' g++
    command -v make >/dev/null 2>&1 || lacks make make
    command -v pkg-config >/dev/null 2>&1 || lacks pkg-config pkg-config
    has_header openssl/ssl.h || lacks 'the headers of OpenSSL' libssl-dev
    has_header sasl/sasl.h || lacks 'the headers of SASL' libsasl2-dev
    has_header zlib.h || lacks 'the headers of zlib' zlib1g-dev
}

has_header() { # NAME
    echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1
}

check_lints() {
    check_rust
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        echo 'prerequisites: run this first: rustup component add rustfmt clippy' >&2
        exit 1
    fi
}

check_servers() {
    command -v git >/dev/null 2>&1 || lacks git git
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        lacks 'Python with venv' 'python3 python3-venv'
    fi
    java_found=0
    for java in ${JAVA_HOME:+"$JAVA_HOME/bin/java"} java; do
        at_least "$java_found" "$java_needed" || java_found=$(java_version "$java")
    done
    at_least "$java_found" "$java_needed" || lacks "Java $java_needed" "$(java_package)"
    command -v mvn >/dev/null 2>&1 || lacks Maven maven
    has_tool krb5kdc || lacks 'a Kerberos server' krb5-kdc
    has_tool kadmin.local || lacks 'the tools of a Kerberos server' krb5-admin-server
    has_tool kinit || lacks 'the Kerberos tools' krb5-user
    has_tool kcat || lacks kcat kcat
    has_one /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib*/faketime/libfaketimeMT.so.1 ||
        lacks 'a library that puts clocks wrong' faketime
    has_one /usr/lib/*/sasl2/libgssapiv2.so /usr/lib*/sasl2/libgssapiv2.so ||
        lacks "SASL's Kerberos" libsasl2-modules-gssapi-mit
}

has_one() { # FILE...
    for file in "$@"; do
        [ -e "$file" ] && return
    done
    return 1
}

# Reads: openjdk version "17.0.15" 2025-04-15
java_version() { # JAVA
    "$1" -version 2>&1 | sed -n 's/^[^"]*version "\([0-9.]*\).*/\1/p' | grep . || echo 0
}

java_package() {
    # shellcheck source=/dev/null
    release=$(. /etc/os-release 2>/dev/null && echo "$ID-$VERSION_ID") || release=
    case $release in
    # Elsewhere the default is new enough.
    debian-11 | debian-12 | ubuntu-20.04 | ubuntu-22.04) echo "openjdk-$java_needed-jre-headless" ;;
    *) echo default-jre-headless ;;
    esac
}

check_images() {
    command -v docker >/dev/null 2>&1 || lacks 'the docker command' "$(client_package)"
    has_tool debootstrap || lacks debootstrap debootstrap
}

check_engine() {
    check_images
    has_tool dockerd || lacks 'a Docker engine' docker.io
    # It looks for iptables even when it is told to leave the firewall alone.
    has_tool iptables || lacks iptables iptables
    has_tool ip || lacks 'the ip command' iproute2
}

# Whether a program is there, perhaps where it is on the path of root alone.
has_tool() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1
}

# The package of the docker command: since Debian 13 one of its own.
client_package() {
    # shellcheck source=/dev/null
    if [ -r /etc/os-release ] && . /etc/os-release && [ "$ID" = debian ] &&
        at_least "${VERSION_ID:-13}" 13; then
        echo docker-cli
    else
        echo docker.io
    fi
}

check_nightly() {
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        lacks 'Python with venv' 'python3 python3-venv'
    fi
    # Its tools work where no systemd runs.
    command -v systemd-analyze >/dev/null 2>&1 || lacks systemd-analyze systemd
    command -v man >/dev/null 2>&1 || lacks man man-db
    command -v bash >/dev/null 2>&1 || lacks bash bash
    command -v zsh >/dev/null 2>&1 || lacks zsh zsh
    command -v fish >/dev/null 2>&1 || lacks fish fish
    command -v flock >/dev/null 2>&1 || lacks flock util-linux
    command -v openssl >/dev/null 2>&1 || lacks openssl openssl
    command -v strip >/dev/null 2>&1 || lacks strip binutils
}

check_look() {
    command -v chromium >/dev/null 2>&1 || lacks Chromium chromium
    command -v npm >/dev/null 2>&1 || lacks npm npm
}

check_bench() {
    if ! curl --aws-sigv4 x --version >/dev/null 2>&1; then
        lacks 'curl with --aws-sigv4' 'curl'
    fi
    command -v kcat >/dev/null 2>&1 || lacks kcat kcat
    command -v rclone >/dev/null 2>&1 || lacks rclone rclone
}

for group in "$@"; do
    case $group in
    make) command -v make >/dev/null 2>&1 || lacks make make ;;
    build) check_build ;;
    lints) check_lints ;;
    servers) check_servers ;;
    images) check_images ;;
    engine) check_engine ;;
    nightly) check_nightly ;;
    look) check_look ;;
    bench) check_bench ;;
    *)
        echo "prerequisites: unknown group $group" >&2
        exit 2
        ;;
    esac
done

[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "prerequisites: install what corresponds to these Debian packages:$packages" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "prerequisites: run this first: sudo apt-get install --no-install-recommends$packages" >&2
    exit 1
fi

install_packages() {
    # Both are lists of words.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        $packages >"$log" 2>&1
}

echo "prerequisites: installing$packages"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The lists of packages may be absent or old; refresh them only when they turn out to be.
if install_packages; then
    exit 0
fi
if ! $as_root apt-get update -qq >"$log" 2>&1 || ! install_packages; then
    tail -n 20 "$log" >&2
    echo "prerequisites: these could not be installed:$packages" >&2
    exit 1
fi

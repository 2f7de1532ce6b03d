#!/bin/sh
# Tests what docs/nightly holds and what scripts/install.sh installs, each as it would be used.
#
#   nightly.sh         what this machine can not test is skipped, with its name and the reason
#   nightly.sh --all   a test that is skipped is a failure
set -eu
cd "$(dirname "$0")/.."
root=$PWD
docs=$root/docs/nightly

# The schemas of GitHub's and GitLab's files come with it.
check_jsonschema=0.39.0
# What systemd-analyze gives the service, from 0 (safe) to 10.
most_exposed=1.5

say() {
    echo "nightly: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

case ${1:-} in
'') all= ;;
--all) all=yes ;;
*)
    sed -n '4,5s/^# *//p' "$0" >&2
    exit 2
    ;;
esac

skip() { # NAME REASON
    [ -z "$all" ] || fail "$1: $2"
    say "skipped: $1: $2"
}

work=$(mktemp -d)
server=
container=
volume=
image=
finish() {
    code=$?
    trap '' HUP INT TERM
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$container" ] || docker rm --force --volumes "$container" >/dev/null 2>&1 || true
    [ -z "$volume" ] || docker volume rm --force "$volume" "$volume-key" >/dev/null 2>&1 || true
    # The images of packages have names and stay, or they would come over the network each time.
    [ -z "$image" ] || docker image rm "$image" >/dev/null 2>&1 || true
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing of this machine's own registry, and no report of a CI that runs this.
unset LINKDIAL_REGISTRY LINKDIAL_KEY_FILE LINKDIAL_CA_FILE KRB5_CONFIG

# Runs a command and says how it ended. Its output goes to $work/out, and is shown when it did not
# end like that.
ends() { # CODE COMMAND...
    expected=$1
    shift
    code=0
    "$@" >"$work/out" 2>&1 || code=$?
    if [ "$code" -ne "$expected" ]; then
        cat "$work/out" >&2
        fail "exit code $code instead of $expected: $*"
    fi
}

holds() { # FILE WORD...
    file=$1
    shift
    for word in "$@"; do
        if ! grep -qF -e "$word" "$file"; then
            tail -n 40 "$file" >&2
            fail "$file does not hold: $word"
        fi
    done
}

has() { # COMMAND
    command -v "$1" >/dev/null 2>&1
}

# What `make install` puts in place.
installed() {
    share=$prefix/share
    ends 0 scripts/install.sh "$prefix" "$program"
    installed=$(find "$prefix" -type f | wc -l)
    [ "$installed" -eq "$(wc -l <"$work/out")" ] || fail 'install.sh does not say what it installs'
    "$prefix/bin/linkdial" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' >"$work/commands"
    holds "$work/commands" verify sweep history
    while read -r command; do
        page=$share/man/man1/linkdial-$command.1
        [ -s "$page" ] || fail "there is no manual page of linkdial $command"
        if has man; then
            # Warnings of troff are on standard error.
            LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$page" >"$work/page" 2>"$work/out" </dev/null
            [ ! -s "$work/out" ] || fail "$page: $(cat "$work/out")"
            holds "$work/page" "linkdial $command" OPTIONS
        fi
        # The only places where a shell offers the word are its completions.
        for completions in bash-completion/completions/linkdial zsh/site-functions/_linkdial \
            fish/vendor_completions.d/linkdial.fish; do
            holds "$share/$completions" "$command"
        done
    done <"$work/commands"
    has man || skip 'manual pages' 'there is no man (package man-db)'

    # Each shell loads its completions and is asked what may stand behind `linkdial sw`.
    for shell in bash zsh fish; do
        if ! has "$shell"; then
            skip "completions of $shell" "there is no $shell"
            continue
        fi
        # The variables are those of the shell that is asked.
        # shellcheck disable=SC2016
        case $shell in
        bash) ends 0 bash --norc -euc '. "$1/bash-completion/completions/linkdial"; set +u
            complete -p linkdial; COMP_WORDS=(linkdial sw); COMP_CWORD=1
            _linkdial linkdial sw linkdial; echo "${COMPREPLY[@]}"' bash "$share" ;;
        # Only a terminal completes; this loads what it would use.
        zsh) ends 0 zsh -fec 'fpath=("$1/zsh/site-functions" $fpath); autoload -U compinit
            compinit -u -d "$2"; whence -w $_comps[linkdial]; autoload +X _linkdial
            functions _linkdial' zsh "$share" "$work/zcompdump" ;;
        fish) HOME=$work ends 0 fish --no-config -c 'source $argv[1]/fish/vendor_completions.d/linkdial.fish
            complete --do-complete "linkdial sw"' "$share" ;;
        esac
        holds "$work/out" sweep
    done
    say "$installed files are installed, and work"
}

uninstalled() {
    ends 0 scripts/install.sh --uninstall "$prefix"
    left=$(find "$prefix" -type f)
    [ -z "$left" ] || fail "these stay after an uninstall: $left"
}

# A server, a port that nothing listens on, and two registries: `green` has a link to the one, `red`
# one to each.
registries() {
    # It says its port when it listens.
    python3 -u - "$work" >"$work/ports" 2>"$work/server.log" <<'PYTHON' &
import http.server, os, socket, sys
os.chdir(sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
# It stays bound and does not listen, so that nobody else gets it.
closed = socket.socket()
closed.bind(("127.0.0.1", 0))
print(server.server_port, closed.getsockname()[1])
server.serve_forever()
PYTHON
    server=$!
    tenths=100
    until [ -s "$work/ports" ]; do
        [ "$tenths" -gt 0 ] || fail "no server: $(cat "$work/server.log")"
        tenths=$((tenths - 1))
        sleep 0.1
    done
    read -r open closed <"$work/ports"

    links shop.good "$open" >"$work/green.sql"
    {
        cat "$work/green.sql"
        links shop.bad "$closed"
    } >"$work/red.sql"
    for colour in green red; do
        mkdir -p "$work/$colour"
        S3_SECRET=moonlit-secret ends 0 "$program" apply --defer --vars-env S3_SECRET \
            --registry "$work/$colour/registry.db" --key-file "$work/registry.key" "$work/$colour.sql"
    done
}

# A link with a secret, and what it is used with.
links() { # NAME PORT
    cat <<SQL
CREATE OR REPLACE LINK $1 AS HTTP CREDENTIALS '{"headers": {"X-Token": "\${S3_SECRET}"}}';
CREATE OR REPLACE EXTERNAL FUNCTION ${1}_f(a INT) RETURNS INT
  AS REMOTE SERVICE "http://127.0.0.1:$2/" FORMAT JSON LINK $1;
SQL
}

# A folder of a machine: its registry is one of the two.
lay_out() { # NAME COLOUR
    machine=$work/$1
    rm -rf "$machine"
    mkdir -p "$machine/bin" "$machine/etc" "$machine/cache"
    cp -R "$work/$2" "$machine/state"
    cp "$work/registry.key" "$machine/etc"
}

# The registry of a folder got the links of the other one.
turn_red() {
    S3_SECRET=moonlit-secret ends 0 "$program" apply --defer --vars-env S3_SECRET \
        --registry "$machine/state/registry.db" --key-file "$machine/etc/registry.key" "$work/red.sql"
}

history_of() { # MACHINE OPTION...
    machine=$1
    shift
    "$program" history --registry "$machine/state/registry.db" \
        --key-file "$machine/etc/registry.key" "$@" >"$work/history"
}

# The pages, metrics and other files of a sweep, and what no file may hold.
files_are_of() { # COLOUR
    for file in "$machine/cache/sweep.html" "$machine/cache/linkdial.prom"; do
        holds "$file" shop.good
    done
    ! grep -r moonlit "$machine" || fail 'a file holds a secret'
    holds "$machine/cache/sweep.html" '<!' '</html>'
    holds "$machine/cache/linkdial.prom" 'linkdial_probe_success{link="shop.good",kind="HTTP"' \
        linkdial_sweep_timestamp_seconds
    if [ "$1" = red ]; then
        holds "$machine/cache/sweep.html" shop.bad connect.refused
        grep -q '^linkdial_probe_success{link="shop.bad",.*} 0$' "$machine/cache/linkdial.prom" ||
            fail 'linkdial.prom does not tell that shop.bad is red'
    fi
}

# Runs a night with green links, one with a red link, and one while another sweep runs; the last two
# end with these codes.
nights() { # FUNCTION RED LOCKED
    lay_out machine green
    ends 0 "$1"
    files_are_of green
    turn_red
    ends "$2" "$1"
    holds "$work/out" connect.refused '1 failed, 1 passed'
    files_are_of red
    history_of "$machine"
    [ "$(grep -c complete "$work/history")" -eq 2 ] || fail "not two sweeps: $(cat "$work/history")"
    history_of "$machine" --diff
    holds "$work/history" 'newly red' shop.bad
    # What a sweep that still runs holds. A sweep needs no flock of ours, and does not wait.
    exec 9>>"$machine/state/registry.db.sweep"
    flock -n 9
    ends "$3" "$1"
    exec 9>&-
    holds "$work/out" 'is being swept'
}

# One value of a unit; lines that end with \ go on.
value() { # FILE KEY
    sed -e ':more' -e '/\\$/{N;s/\\\n */ /;b more' -e '}' "$1" | sed -n "s/^$2=//p"
}

units() {
    if ! has systemd-analyze; then
        skip 'units' 'there is no systemd-analyze (package systemd)'
        return
    fi
    # The units where systemd would look for them, with the program and its manual.
    mkdir -p "$work/units"
    for unit in "$docs"/*.service "$docs"/*.timer; do
        sed "s|/usr/local/bin/linkdial|$prefix/bin/linkdial|" "$unit" >"$work/units/${unit##*/}"
    done
    SYSTEMD_UNIT_PATH="$work/units:" MANPATH="$prefix/share/man" \
        ends 0 systemd-analyze verify --recursive-errors=one "$work"/units/*
    [ ! -s "$work/out" ] || fail "systemd-analyze verify: $(cat "$work/out")"
    ends 0 systemd-analyze security --offline=yes --no-pager \
        --threshold="$(echo "$most_exposed" | tr -d .)" "$work/units/linkdial-sweep.service"
    ends 0 systemd-analyze calendar "$(value "$docs/linkdial-sweep.timer" OnCalendar)"

    nights service 1 3
    say 'the units are valid, and the command of the service runs'
}

# The command of the service, with what systemd would put into its environment.
service() {
    command=$(value "$docs/linkdial-sweep.service" ExecStart | sed "s|/usr/local/bin/|$prefix/bin/|")
    env -i STATE_DIRECTORY="$machine/state" CACHE_DIRECTORY="$machine/cache" \
        CREDENTIALS_DIRECTORY="$machine/etc" SWEEP_OPTIONS='--confirm 100ms' sh -c "$command"
}

cron() {
    sed '/^#/d' "$docs/linkdial-sweep.cron" >"$work/cron"
    [ "$(grep -cv '^[A-Z_]*=' "$work/cron")" -eq 1 ] || fail 'linkdial-sweep.cron is not one job'
    # Five fields of time, a user, a command; cron makes a new line of a bare %.
    grep -qE '^([0-9*,/-]+ ){5}linkdial [^%]+$' "$work/cron" || fail 'linkdial-sweep.cron is no job'
    # It tells by what it writes.
    nights cron_job 0 0
    # cron would mail every line.
    lay_out machine green
    ends 0 cron_job
    [ ! -s "$work/out" ] || fail "the job of cron is not silent: $(cat "$work/out")"
    say 'the job of cron runs'
}

# Runs the job as cron does: its variables and hardly any others, sh, no terminal.
cron_job() {
    sed -e "s|/usr/local/bin/|$prefix/bin/|" -e "s|/var/lib/linkdial|$machine/state|" \
        -e "s|/var/cache/linkdial|$machine/cache|" -e "s|/etc/linkdial|$machine/etc|" \
        -e 's|--deadline|--confirm 100ms --deadline|' "$work/cron" >"$machine/cron"
    command=$(sed -n 's/^[0-9*].* linkdial \(cd .*\)/\1/p' "$machine/cron")
    # Variables have no blanks.
    # shellcheck disable=SC2046
    env -i $(grep '^[A-Z_]*=' "$machine/cron") HOME=/ LOGNAME=linkdial SHELL=/bin/sh \
        PATH=/usr/bin:/bin sh -c "$command"
}

tools=${LINKDIAL_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/linkdial}/nightly/check-jsonschema-$check_jsonschema

provide_schemas() {
    [ ! -x "$tools/bin/check-jsonschema" ] || return 0
    mkdir -p "${tools%/*}"
    rm -rf "$tools"
    python3 -m venv "$tools" &&
        "$tools/bin/pip" install --quiet --disable-pip-version-check "check-jsonschema==$check_jsonschema"
}

pipelines() {
    provide_schemas || fail "check-jsonschema $check_jsonschema can not be installed"
    ends 0 "$tools/bin/check-jsonschema" --builtin-schema vendor.github-workflows \
        "$docs/github-workflow.yml" docs/containers/github-workflow.yml
    ends 0 "$tools/bin/check-jsonschema" --builtin-schema vendor.gitlab-ci "$docs/gitlab-ci.yml"

    check_out github-workflow.yml
    # `make install` takes ten minutes; this one finds the program built.
    mkdir "$checkout/.linkdial"
    printf 'install:\n\t%s %s %s\n' "$root/scripts/install.sh" "$checkout/.local" "$program" \
        >"$checkout/.linkdial/Makefile"
    pipeline 0 green github pull_request
    holds "$checkout/step-summary.md" shop.good
    holds "$checkout/links.sarif" '"2.1.0"'
    pipeline 10 red github pull_request
    holds "$work/out" '::error file=links.sql'
    holds "$checkout/step-summary.md" connect.refused
    holds "$checkout/links.sarif" connect.refused
    two_nights github schedule
    holds "$checkout/step-summary.md" connect.refused

    check_out gitlab-ci.yml
    pipeline 0 green gitlab verify-links
    pipeline 10 red gitlab verify-links
    two_nights gitlab sweep-links
    [ ! -e "$checkout/.linkdial-key" ] || fail 'the job leaves its key'
    say 'the files of GitHub and GitLab are valid, and their commands run'
}

check_out() { # FILE
    checkout=$work/checkout
    recipe=$docs/$1
    rm -rf "$checkout"
    mkdir "$checkout"
}

# Runs a pipeline in the folder of its checkout, with a script of links. One that has failed is 10.
pipeline() { # CODE COLOUR RUNNER WHAT
    rm -f "$checkout"/links.* "$checkout/step-summary.md"
    cp "$work/$2.sql" "$checkout/links.sql"
    ends "$1" env --chdir="$checkout" HOME="$checkout" PATH="$prefix/bin:$PATH" LINKDIAL_REPOSITORY=owner/name \
        S3_SECRET=moonlit-secret LINKDIAL_PASSPHRASE='two moons' \
        "$tools/bin/python" "$root/scripts/pipelines.py" "$3" "$recipe" "$4"
    "$tools/bin/python" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' \
        "$checkout/links.xml"
    holds "$checkout/links.xml" shop.good
}

# Two runs of a schedule, the registry between them in the cache.
two_nights() { # RUNNER WHAT
    pipeline 0 green "$@"
    pipeline 10 red "$@"
    holds "$checkout/links.html" connect.refused '</html>'
    ! grep -rq -e moonlit -e linkdial-key "$checkout"/links.[hmsx]* "$checkout/.linkdial-registry" ||
        fail 'a file holds a secret'
    (umask 077 && openssl enc -d -aes-256-cbc -pbkdf2 -pass 'pass:two moons' \
        -in "$checkout/.linkdial-registry/key.enc" -out "$work/opened.key")
    "$program" history --registry "$checkout/.linkdial-registry/registry.db" \
        --key-file "$work/opened.key" --diff >"$work/history"
    holds "$work/history" 'newly red' shop.bad
}

# Lets docker reach an engine: the one that answers, else that of scripts/engine.sh where it runs.
find_engine() {
    has docker || return 1
    timeout 10 docker version >/dev/null 2>&1 && return
    scripts/engine.sh status >/dev/null 2>&1 || return 1
    engine=$(scripts/engine.sh start 2>/dev/null)
    eval "$engine"
}

# The base of `make images`, else Debian's.
find_base() {
    for base in local/debian:bookworm debian:bookworm-slim; do
        ! docker image inspect "$base" >/dev/null 2>&1 || return 0
    done
    timeout 300 docker pull --quiet "$base" >/dev/null 2>&1
}

# The other builder is a package of its own. Packages come over the network of this machine.
build() { # OPTION...
    DOCKER_BUILDKIT=0 docker build --quiet --force-rm --network host "$@" 2>"$work/build.log" || {
        cat "$work/build.log" >&2
        fail 'an image can not be built'
    }
}

containers() {
    if ! find_engine; then
        skip 'containers' 'no engine answers; scripts/engine.sh start starts one'
        return
    fi
    if ! find_base; then
        skip 'containers' 'there is no image of Debian; make images makes one'
        return
    fi
    # What a release would be: a tenth of the size, and so much faster to send.
    mkdir "$work/context"
    strip -o "$work/context/linkdial" "$program"
    packages=local/linkdial-nightly
    build --build-arg "BASE=$base" --file "$docs/Containerfile" --target runtime --tag "$packages" \
        "$work/context" >/dev/null
    image=$(build --build-arg "BASE=$base" --file "$docs/Containerfile" "$work/context")
    if ! docker run --rm --network none "$image" --version >"$work/out" 2>&1; then
        grep -q 'GLIBC_' "$work/out" || fail "the program does not start: $(cat "$work/out")"
        skip 'containers' "what this machine builds asks for a newer Debian than $base is"
        return
    fi
    containerfile
    systemd
}

# Two nights in the image, as docs/nightly/README.md has them.
containerfile() {
    volume=linkdial-nightly-$$
    ends 0 in_image apply --vars-env S3_SECRET - <"$work/green.sql"
    ends 0 in_image sweep --quiet
    ends 0 in_image apply --vars-env S3_SECRET --defer - <"$work/red.sql"
    # Without a word it sweeps.
    ends 1 in_image
    holds "$work/out" connect.refused '1 failed, 1 passed'
    ends 0 in_image history --diff
    holds "$work/out" 'newly red' shop.bad
    ends 1 in_image sweep --quiet --output html=sweep.html --output openmetrics=linkdial.prom
    # Who it is, what it lacks, and what the jobs of docs/nightly/gitlab-ci.yml call. The words are
    # for the shell in there.
    # shellcheck disable=SC2016
    ends 0 docker run --rm --network none --volume "$volume:/var/lib/linkdial" --entrypoint sh "$image" -euc '
        test "$(id -u)" = 10001
        ldd /usr/local/bin/linkdial
        ls -l sweep.html linkdial.prom /usr/lib/*/sasl2/libgssapiv2.so /etc/ssl/certs/ca-certificates.crt
        openssl version'
    if grep 'not found' "$work/out" >&2; then
        fail 'the image lacks a library'
    fi
    docker volume rm "$volume" "$volume-key" >/dev/null
    volume=
    say 'the image is built, and sweeps'
}

in_image() { # ARGUMENT...
    S3_SECRET=moonlit-secret docker run --rm --interactive --network host --env S3_SECRET \
        --volume "$volume:/var/lib/linkdial" --volume "$volume-key:/var/lib/linkdial-key" "$image" "$@"
}

# A real systemd in a container: it starts the service by the timer's name, with the key handed over
# and everything forbidden that the unit forbids.
systemd() {
    systemd_image=local/linkdial-nightly-systemd
    build --tag "$systemd_image" - >"$work/out" <<DOCKERFILE
FROM $packages
RUN apt-get update -q \\
    && apt-get install -q -y --no-install-recommends cron systemd \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
DOCKERFILE
    container=linkdial-nightly-$$
    # A credential is a mount that the service has to see.
    docker run --detach --name "$container" --network host --cap-add SYS_ADMIN \
        --security-opt seccomp=unconfined --security-opt apparmor=unconfined --tmpfs /run --tmpfs /tmp \
        --volume /sys/fs/cgroup:/sys/fs/cgroup:rw --env container=docker "$systemd_image" \
        sh -c 'mount --make-rshared / && exec /lib/systemd/systemd' >/dev/null
    tenths=150
    # Some unit of Debian may not like it there.
    until inside systemctl is-system-running 2>&1 | grep -xE 'running|degraded' >"$work/out"; do
        if [ "$tenths" -eq 0 ]; then
            skip 'systemd' "it does not start in a container: $(docker logs "$container" 2>&1 | tail -n 3)"
            return
        fi
        tenths=$((tenths - 1))
        sleep 0.1
    done
    for file in "$work/context/linkdial /usr/local/bin/" "$work/green.sql /root/" "$work/red.sql /root/" \
        "$docs/linkdial-sweep.service /etc/systemd/system/" "$docs/linkdial-sweep.timer /etc/systemd/system/" \
        "$docs/linkdial-sweep-failed.service /etc/systemd/system/" \
        "$docs/linkdial-sweep.cron /etc/cron.d/linkdial-sweep"; do
        docker cp "${file% *}" "$container:${file##* }" >/dev/null
    done
    inside sh -eu >"$work/out" 2>&1 <<'SH' || fail "systemd: $(cat "$work/out")"
# What docs/nightly/README.md says. The image has the user already, with another number.
userdel linkdial
rm -rf /var/lib/linkdial
useradd --system --user-group --no-create-home linkdial
install -d -m 700 /etc/linkdial /var/lib/linkdial
cat >/usr/local/bin/mail <<'MAIL'
#!/bin/sh
{ echo "$@"; cat; } >/root/mail.new
mv /root/mail.new /root/mail
MAIL
chmod 755 /usr/local/bin/mail
echo 'SWEEP_OPTIONS=--confirm 100ms' >/etc/linkdial/sweep.env
apply() {
    S3_SECRET=moonlit-secret linkdial apply --defer --vars-env S3_SECRET \
        --registry /var/lib/linkdial/registry.db --key-file /etc/linkdial/registry.key "/root/$1.sql"
}
history() {
    linkdial history --registry /var/lib/linkdial/registry.db --key-file /etc/linkdial/registry.key "$@"
}
fails() {
    if "$@"; then
        echo "this went well: $*"
        exit 1
    fi
}
# Waits for a command to go well.
soon() {
    tenths=100
    until "$@" >/dev/null 2>&1; do
        test $tenths -gt 0
        tenths=$((tenths - 1))
        sleep 0.1
    done
}
status_is() {
    test "$(systemctl show -P ExecMainStatus linkdial-sweep.service)" = "$1"
}
apply green
systemctl daemon-reload
systemctl enable --now linkdial-sweep.timer
systemctl list-timers --no-pager | grep linkdial-sweep.service
systemctl start linkdial-sweep.service
fails systemctl is-failed linkdial-sweep.service
test ! -e /root/mail
# root registers another link while the registry is the service's already.
apply red
fails systemctl start linkdial-sweep.service
systemctl is-failed linkdial-sweep.service
status_is 1
soon test -e /root/mail
grep 'exit code 1 root' /root/mail
grep connect.refused /root/mail
history --diff | grep -A 1 'newly red' | grep shop.bad
# A key that is not there is no green night.
mv /etc/linkdial/registry.key /root/registry.key
fails systemctl start linkdial-sweep.service
systemctl is-failed linkdial-sweep.service
mv /root/registry.key /etc/linkdial/registry.key
# Somebody stops it while it waits to dial a link once more: no failure.
echo 'SWEEP_OPTIONS=--confirm 10m' >/etc/linkdial/sweep.env
sed 's/shop.bad/shop.worse/' /root/red.sql >/root/worse.sql
apply worse
rm /root/mail
systemctl start --no-block linkdial-sweep.service
soon sh -c 'grep "process $(systemctl show -P MainPID linkdial-sweep.service) " /var/lib/linkdial/registry.db.sweep'
systemctl stop linkdial-sweep.service
status_is 130
fails systemctl is-failed linkdial-sweep.service
test ! -e /root/mail
# The syntax of cron, which has no user in a file of a user.
sed 's/^\([0-9*].* \)linkdial \(cd .*\)/\1\2/' /etc/cron.d/linkdial-sweep >/tmp/crontab
crontab -n /tmp/crontab
# What others read, and what they do not.
stat -c '%U %a %n' /var/lib/linkdial /var/lib/linkdial/registry.db /var/cache/linkdial/*
SH
    holds "$work/out" 'linkdial 700 /var/lib/linkdial' 'linkdial 600 /var/lib/linkdial/registry.db' \
        'linkdial 644 /var/cache/linkdial/linkdial.prom' 'linkdial 644 /var/cache/linkdial/sweep.html'
    docker rm --force --volumes "$container" >/dev/null
    container=
    say 'a systemd runs the service, hands it the key, and tells of red links'
}

inside() { # COMMAND...
    docker exec --interactive "$container" "$@"
}

scripts/prerequisites.sh build nightly
cargo build --quiet --locked --package linkdial
program=$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd)/linkdial
prefix=$work/prefix

installed
registries
units
cron
pipelines
containers
uninstalled

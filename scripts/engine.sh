#!/bin/sh
# A Docker engine for the tests where no service manager runs one. Needs root, or sudo without a
# password.
#
#   engine.sh start [FLAG...]   starts it and prints DOCKER_HOST; the flags are dockerd's
#   engine.sh stop              stops it; its images stay for the next start
#   engine.sh status            says whether it runs
#
# Everything it owns is below the cache folder, except a bridge. It changes no firewall rule and no
# forwarding: published ports work through dockerd's proxy, and containers have no way out.
set -eu

state=${LINKDIAL_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/linkdial}/engine
socket=$state/run/docker.sock
pid_file=$state/run/docker.pid
log=$state/dockerd.log
# One for each state, so that two users do not meet.
bridge=linkdial-$(($(printf %s "$state" | cksum | cut -d ' ' -f 1) % 100000))

# The tools of an administrator are not on the path of everybody.
PATH=$PATH:/usr/sbin:/sbin

say() {
    echo "engine: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

become_root() {
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        fail 'it needs root, or sudo without a password'
    fi
}

# Lets one start or stop at a time work on the state, until this script ends.
lock() {
    command -v flock >/dev/null 2>&1 || fail 'there is no flock; the package util-linux has it'
    mkdir -p "$state/run"
    # The socket's group may have other members than the user.
    chmod 700 "$state"
    exec 9>"$state/lock"
    flock -w 180 9 || fail "another start or stop holds $state/lock for 180 seconds"
}

version() {
    timeout 5 docker -H "unix://$socket" version --format '{{.Server.Version}}' 2>/dev/null
}

# Whether a process runs under this name: numbers are used again, and a zombie has ended.
lives() { # PID NAME
    grep -qs "($2) [^ZX]" "/proc/${1:-none}/stat"
}

runs() { # PID_FILE NAME
    [ -r "$1" ] && lives "$(cat "$1")" "$2"
}

wait_for_end() { # PID_FILE NAME TENTHS
    tenths=$3
    while runs "$1" "$2"; do
        [ "$tenths" -gt 0 ] || return 1
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

add_bridge() {
    if ip link show "$bridge" >/dev/null 2>&1; then
        return
    fi
    # The first network that nothing but a default route leads to.
    number=0
    while ip -4 route show match "172.30.$number.1" | grep -qv '^default'; do
        number=$((number + 1))
        [ "$number" -lt 256 ] || fail 'every network below 172.30 is in use'
    done
    $as_root ip link add "$bridge" type bridge
    $as_root ip address add "172.30.$number.1/24" dev "$bridge"
    $as_root ip link set "$bridge" up
}

launch() { # FLAG...
    add_bridge
    # The socket belongs to the user; the namespace keeps apart what shares a system's containerd.
    # shellcheck disable=SC2086
    (cd / && exec setsid $as_root dockerd --host "unix://$socket" --group "$(id -g)" \
        --data-root "$state/data" --exec-root "$state/exec" --pidfile "$pid_file" \
        --containerd-namespace linkdial --containerd-plugins-namespace linkdial.plugins \
        --bridge "$bridge" --ip 127.0.0.1 --iptables=false --ip6tables=false --ip-masq=false \
        --ip-forward=false --log-level warn "$@" </dev/null >"$log" 2>&1 9>&-) &
    tenths=300
    while [ "$tenths" -gt 0 ]; do
        if version >/dev/null; then
            return 0
        fi
        # The process may be root's, so that no signal tells.
        lives $! '.*' || return 1
        tenths=$((tenths - 1))
        sleep 0.1
    done
    say 'no answer in 30 seconds'
    halt
    return 1
}

start() { # FLAG...
    if version >/dev/null; then
        say 'runs already'
    else
        become_root
        for tool in dockerd docker ip setsid; do
            command -v "$tool" >/dev/null 2>&1 ||
                fail "there is no $tool; scripts/prerequisites.sh engine installs it"
        done
        # The kernel takes 107 bytes for a socket's path, and containerd's is the longest.
        longest=$state/exec/containerd/containerd-debug.sock
        [ "${#longest}" -le 107 ] || fail "$state is too long a path; set LINKDIAL_CACHE_DIR"
        lock
        # Another start may have been faster.
        if version >/dev/null; then
            say 'runs already'
        else
            launch_any "$@"
            say "Docker $(version) runs"
        fi
    fi
    echo "export DOCKER_HOST='unix://$socket'"
}

launch_any() { # FLAG...
    # What killed processes have left stops the next start.
    runs "$pid_file" dockerd || clean
    if launch "$@"; then
        return
    fi
    tail -n 5 "$log" >&2
    case " $* " in *' --storage-driver'*) fail 'it did not start' ;; esac
    say 'it did not start; once more with the storage driver vfs'
    launch --storage-driver vfs "$@" || {
        tail -n 5 "$log" >&2
        halt
        fail 'it did not start'
    }
}

# Removes what a daemon leaves besides its data: files of its run, mounts, the bridge.
clean() {
    containerd=$state/exec/containerd/containerd.pid
    if runs "$containerd" containerd; then
        $as_root kill "$(cat "$containerd")" 2>/dev/null || true
        wait_for_end "$containerd" containerd 100 || say 'its containerd does not end'
    fi
    # The kernel writes a blank as \040.
    awk '{ print $2 }' /proc/self/mounts | grep -F "$(printf %s "$state/" | sed 's/ /\\040/g')" |
        sort -r | while read -r mount; do
        $as_root umount -l "$(printf %b "$mount")" || true
    done
    $as_root rm -f "$pid_file" "$containerd" "$socket"
    if ip link show "$bridge" >/dev/null 2>&1; then
        $as_root ip link delete "$bridge"
    fi
}

halt() {
    if runs "$pid_file" dockerd; then
        $as_root kill "$(cat "$pid_file")" 2>/dev/null || true
        # It gives containers ten seconds to end.
        wait_for_end "$pid_file" dockerd 300 || fail "process $(cat "$pid_file") does not end"
    fi
    clean
}

case ${1:-} in
start)
    shift
    start "$@"
    ;;
stop)
    if ! [ -d "$state/run" ]; then
        say 'does not run'
        exit 0
    fi
    become_root
    lock
    halt
    say 'is stopped'
    ;;
status)
    if found=$(version); then
        say "Docker $found runs at unix://$socket"
    else
        fail 'does not run'
    fi
    ;;
*)
    sed -n '5,7s/^# *//p' "$0" >&2
    exit 2
    ;;
esac

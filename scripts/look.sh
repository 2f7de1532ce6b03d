#!/bin/sh
# Looks at the HTML report in Chromium: as a picture on a desktop, in the dark and on a phone, and with
# axe-core, for people who do not see it. Fails on a violation, and where a page is wider than its
# window. What is looked at are the snapshots, which `make test` holds against the code.
#
#   look.sh [FOLDER]   where the pictures go; target/look
set -eu
cd "$(dirname "$0")/.."

scripts/prerequisites.sh look

axe_version=4.14.1
axe_sum=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
cache=${LINKDIAL_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/linkdial}/axe-core-$axe_version
pictures=${1:-target/look}

work=$(mktemp -d)
# A process of Chromium may still write into its profile when the last page is done.
trap 'rm -rf "$work" 2>/dev/null || rm -rf "$work" || true' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "look: $*" >&2
    exit 1
}

get_axe() {
    [ -e "$cache/axe.min.js" ] && return
    (cd "$work" && npm pack --silent "axe-core@$axe_version" >/dev/null) ||
        fail "axe-core $axe_version cannot be had from npm"
    tar -xzf "$work/axe-core-$axe_version.tgz" -C "$work"
    echo "$axe_sum  $work/package/axe.min.js" | sha256sum --check --quiet - >&2 ||
        fail "axe-core $axe_version is not the one that was pinned"
    mkdir -p "$cache"
    mv "$work/package/LICENSE" "$cache/"
    # Last, and at once: what is there is whole.
    mv "$work/package/axe.min.js" "$cache/axe.min.js"
}

# Chromium's own words go to a file, which is shown when it fails.
browse() { # SCHEME SIZE ARGUMENT...
    scheme=1
    [ "$1" = light ] || scheme=0
    size=$2
    shift 2
    sandbox=
    [ "$(id -u)" -ne 0 ] || sandbox=--no-sandbox
    timeout 120 chromium --headless $sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --disable-dev-shm-usage --hide-scrollbars --force-color-profile=srgb \
        --user-data-dir="$work/profile" --blink-settings=preferredColorScheme=$scheme \
        --window-size="$size" "$@" 2>"$work/log" || {
        tail -n 20 "$work/log" >&2
        fail 'Chromium failed'
    }
}

# A copy of the page that runs axe-core on itself, with everything unfolded. The policy of the page
# forbids any script, which is why it is taken out.
prepare() { # PAGE
    ln -sf "$cache/axe.min.js" "$work/axe.min.js"
    sed '/http-equiv="Content-Security-Policy"/d; s|</body>||; s|</html>||' "$work/$1.html" >"$work/$1-axe.html"
    cat >>"$work/$1-axe.html" <<'HTML'
<script src="axe.min.js"></script>
<script>
  const root = document.documentElement;
  const lines = [`window ${innerWidth}`, `height ${root.scrollHeight}`];
  const width = () => lines.push(root.scrollWidth > innerWidth ? "wide" : "fits");
  width();
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  width();
  axe.run().then(found => {
    // Of a sign alone axe-core does not judge the contrast; the word beside it has the same colours.
    const isSign = target => document.querySelector(target[0]).textContent.length === 1;
    const open = found.incomplete.map(it =>
      ({ ...it, nodes: it.nodes.filter(node => !isSign(node.target)) }));
    for (const { id, help, nodes } of [...found.violations, ...open].filter(it => it.nodes.length))
      lines.push(`violation ${id}: ${help}: ${nodes.slice(0, 9).map(it => it.target).join(", ")}`);
    lines.push(`rules ${found.passes.length}`);
    parent.postMessage(lines.join("\n"), "*");
  });
</script>
</body>
</html>
HTML
}

# A window of Chromium has at least 500 pixels, a phone has not: the page stands in a frame.
frame() { # PAGE WIDTH HEIGHT
    cat >"$work/frame.html" <<HTML
<!doctype html>
<style>body { margin: 0; background: #808890 } iframe { display: block; margin: auto; border: 0 }</style>
<iframe src="$1.html" style="width: $2px; height: $3px"></iframe>
<script>
  onmessage = found => {
    const list = document.createElement("pre");
    list.textContent = "\nfound\n" + found.data + "\nend of found\n";
    document.body.append(list);
  };
</script>
HTML
}

look() { # PAGE NAME SCHEME WIDTH
    window=$4
    [ "$window" -ge 500 ] || window=500
    frame "$1-axe" "$4" 900
    browse "$3" "$window,900" --virtual-time-budget=30000 --dump-dom "file://$work/frame.html" |
        sed -n '/^found$/,/^end of found$/p' >"$work/found"
    grep -q '^end of found$' "$work/found" || fail "axe-core gave no answer for $1 $2"
    grep -qx "window $4" "$work/found" || fail "the frame of $1 $2 is not $4 wide"
    height=$(sed -n 's/^height //p' "$work/found")
    frame "$1" "$4" "$height"
    browse "$3" "$window,$height" --screenshot="$pictures/$1-$2.png" "file://$work/frame.html"
    rules=$(sed -n 's/^rules //p' "$work/found")
    count=$(grep -c '^violation ' "$work/found" || true)
    echo "look: $1 $2: $count violations, $rules rules hold, $pictures/$1-$2.png"
    sed -n 's/^violation /look:   /p' "$work/found"
    [ "$count" -eq 0 ] || code=1
    if grep -q '^wide$' "$work/found"; then
        echo 'look:   the page is wider than its window'
        code=1
    fi
}

get_axe
mkdir -p "$pictures"
pictures=$(cd "$pictures" && pwd)
code=0
for page in script sweep; do
    # Behind the head of the snapshot.
    sed '1,/^---$/d' "src/report/snapshots/linkdial__report__format_tests__html_of_a_$page.snap" \
        >"$work/$page.html"
    grep -q '^<!doctype html>$' "$work/$page.html" || fail "there is no page of a $page"
    prepare "$page"
    look "$page" light light 1100
    look "$page" dark dark 1100
    look "$page" phone light 390
    look "$page" phone-dark dark 390
done
exit "$code"

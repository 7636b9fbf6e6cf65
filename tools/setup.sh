#!/bin/sh
# Set-up: system packages, the virtual environment, the fonts. Says what it does; does nothing,
# within a second, where everything stands. Works as root or through sudo on Debian 12 and Ubuntu
# with git, make and Python 3.11; elsewhere it names what is missing.
#
#   tools/setup.sh          what `ledger` needs
#   tools/setup.sh tests    that, and what the tests look at the results with
set -eu
cd "$(dirname "$0")/.."
group=${1:-run}
state=.setup
log=$state/setup.log
mkdir -p "$state"

RUN_PACKAGES="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fontconfig fonts-noto-cjk fonts-liberation"
TEST_PACKAGES="poppler-utils mupdf-tools postgresql libreoffice-calc-nogui strace dovecot-imapd"
# on its own: it is large (113 MB), and not every distribution has it as a package
BROWSER_PACKAGE=chromium
FONT_PACKAGE=texlive-lang-chinese

say() { printf '%s\n' "set-up: $*"; }
fail() { printf '%s\n' "set-up: $*" >&2; exit 1; }

# What the state of the machine is judged by: these files, this folder, this group.
fingerprint() {
    { cat requirements.lock pyproject.toml tools/setup.sh tools/prepare_fonts.py; pwd; echo "$group"; } |
        sha256sum | cut -d' ' -f1
}
stamp=$state/stamp-$group
now=$(fingerprint)
if [ -x .venv/bin/ledger ] && [ -f $state/fonts/stamp.json ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then
    exit 0
fi
: >"$log"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo -E "$@"
    else return 127
    fi
}
apt_ready=
refresh_apt() {
    [ -z "$apt_ready" ] || return 0
    apt_ready=yes
    as_root apt-get update -qq >>"$log" 2>&1
}
installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed$'; }
apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 127
    refresh_apt || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1 </dev/null
}
missing_of() {
    for package in $1; do
        installed "$package" || printf '%s ' "$package"
    done
}

# --- system packages
if command -v dpkg-query >/dev/null 2>&1; then
    missing=$(missing_of "$RUN_PACKAGES")
    if [ -n "$missing" ]; then
        say "installing $missing"
        # shellcheck disable=SC2086  # a list of names
        apt_install $missing || fail "could not install: $missing(see $log); install them as root and repeat"
    fi
    if [ "$group" = tests ]; then
        missing=$(missing_of "$TEST_PACKAGES")
        if [ -n "$missing" ]; then
            say "installing for the tests: $missing"
            # shellcheck disable=SC2086
            apt_install $missing || say "without $missing(see $log); the tests that look with them are skipped"
        fi
        if ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1 &&
            ! command -v google-chrome >/dev/null 2>&1; then
            say "installing for the tests: $BROWSER_PACKAGE"
            apt_install $BROWSER_PACKAGE || say "without $BROWSER_PACKAGE; the tests on a phone's screen are skipped"
        fi
    fi
else
    say "this is no Debian or Ubuntu; needed are: Pango, HarfBuzz with its subset library, fontconfig, Noto CJK, Liberation"
fi

# --- Python
python=
for candidate in "${PYTHON:-}" python3.11 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    for candidate in python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
fi
[ -n "$python" ] || fail "Python 3.11 not found; install it, or name it: PYTHON=/path/to/python3.11 make setup"
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "installing python$version-venv"
    apt_install "python$version-venv" || apt_install python3-venv || fail "install python$version-venv and repeat"
fi

# --- the virtual environment, from the lock alone
wanted=$({ cat requirements.lock pyproject.toml; pwd; "$python" -V; } | sha256sum | cut -d' ' -f1)
if [ ! -x .venv/bin/ledger ] || [ "$(cat $state/venv 2>/dev/null)" != "$wanted" ]; then
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        say "making .venv with $("$python" -V)"
        rm -rf .venv
        "$python" -m venv .venv
    fi
    say "installing the locked requirements into .venv (a minute or two)"
    pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@" >>"$log" 2>&1; }
    pip install --no-deps --require-hashes -r requirements.lock || { tail -5 "$log" >&2; fail "pip failed (see $log)"; }
    pip install --no-deps --no-build-isolation -e . || { tail -5 "$log" >&2; fail "pip failed (see $log)"; }
    echo "$wanted" >$state/venv
fi

# --- fonts
if command -v apt-cache >/dev/null 2>&1 && [ ! -f $state/fandol/FandolKai-Regular.otf ]; then
    apt-cache policy $FONT_PACKAGE 2>/dev/null | grep -q 'Candidate: [0-9]' || refresh_apt || true
fi
.venv/bin/python tools/prepare_fonts.py $state/fonts --fandol $state/fandol

echo "$now" >"$stamp"
# the tests' needs include the program's
[ "$group" = run ] || { group=run; fingerprint >$state/stamp-run; }

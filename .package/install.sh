#!/bin/sh
# Installs the program below a prefix, ~/.local unless told otherwise. Needs no root, and changes nothing else.
#
#     sh install.sh [--from URL] [--version V] [--prefix DIR]
#
# It downloads the archive for this machine and its SHA-256 from URL, and installs nothing that does not match.
# What is installed already is replaced once the new program has run.
set -eu

url=${FORETHOUGHT_URL:-@URL@}
version=${FORETHOUGHT_VERSION:-@VERSION@}
prefix=${PREFIX:-$HOME/.local}

fail() {
    echo "error: $1" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || fail "usage: install.sh [--from URL] [--version V] [--prefix DIR]"
    case $1 in
        --from) url=$2 ;;
        --version) version=$2 ;;
        --prefix) prefix=$2 ;;
        *) fail "usage: install.sh [--from URL] [--version V] [--prefix DIR]" ;;
    esac
    shift 2
done
case $url$version in *@*) fail "this copy names no release; give --from URL and --version V" ;; esac
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac

has() { command -v "$1" >/dev/null 2>&1; }

target() {
    case $(uname -s) in
        Linux) os=unknown-linux-gnu ;;
        Darwin) os=apple-darwin ;;
        *) fail "there is no build for $(uname -s)" ;;
    esac
    case $(uname -m) in
        x86_64 | amd64) echo "x86_64-$os" ;;
        aarch64 | arm64) echo "aarch64-$os" ;;
        *) fail "there is no build for $(uname -m)" ;;
    esac
}

download() { # URL FILE
    if has curl; then
        curl --fail --silent --show-error --location --output "$2" "$1"
    elif has wget; then
        wget --quiet --output-document "$2" "$1"
    else
        fail "neither curl nor wget is here"
    fi || fail "$1 cannot be fetched"
}

sum_of() {
    if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

target=$(target)
if [ "$target" = x86_64-unknown-linux-gnu ] && ! grep -q -w avx2 /proc/cpuinfo; then
    fail "this processor has no AVX2, which the build needs; compile it instead (README.md)"
fi
name=forethought-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

echo "fetching $url/$name.tar.gz" >&2
download "$url/SHA256SUMS" "$work/SHA256SUMS"
download "$url/$name.tar.gz" "$work/$name.tar.gz"
wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\.tar\.gz\$/\1/p" "$work/SHA256SUMS")
[ -n "$wanted" ] || fail "$url/SHA256SUMS does not name $name.tar.gz"
[ "$(sum_of "$work/$name.tar.gz")" = "$wanted" ] || fail "the SHA-256 of $name.tar.gz is not $wanted; nothing was installed"
tar -xzf "$work/$name.tar.gz" -C "$work" || fail "$name.tar.gz cannot be unpacked"

# A C library that is too old is told here, not by a program that no longer starts.
"$work/$name/bin/fore" --version >/dev/null || fail "the program does not run on this machine; nothing was installed"

mkdir -p "$prefix/bin"
unit=$work/$name/lib/systemd/user/forethought.service
if [ "$(uname -s)" = Linux ]; then
    # systemd looks for units of a user's own below share, and in lib only for packages.
    sed "s|^ExecStart=[^ ]*|ExecStart=\"$prefix/bin/fore\"|" "$unit" >"$work/unit"
    mkdir -p "$prefix/share/systemd/user"
    cp "$work/unit" "$prefix/share/systemd/user/forethought.service"
fi
cp -R "$work/$name/share/." "$prefix/share/"
# In one step, for a program that runs cannot be written to.
cp "$work/$name/bin/fore" "$prefix/bin/.fore.$$"
mv -f "$prefix/bin/.fore.$$" "$prefix/bin/fore"

echo "installed $("$prefix/bin/fore" --version) as $prefix/bin/fore" >&2
case :$PATH: in
    *:"$prefix/bin":*) ;;
    *) echo "note: $prefix/bin is not on your PATH" >&2 ;;
esac
echo "next: fore model pull && fore add DIR" >&2

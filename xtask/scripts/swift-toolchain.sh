#!/bin/bash
# Swift 6 for a Debian host that has none.
#
#   swift-toolchain.sh install [ROOT]
#   swift-toolchain.sh run [--root ROOT] [--bind DIR]... COMMAND [ARGUMENT]...
#
# `install` unpacks a small Debian tree with the Swift compiler, SwiftPM, swift-testing, XCTest and DocC into ROOT
# (default: target/swift-root of this project, 0.8 GB; 1.4 GB while it is made). It does nothing when ROOT is already complete.
# `run` runs COMMAND in that tree, in the current directory. The project, the current directory and every --bind
# directory are seen there under the paths they have outside; mounts are private to the command and end with it.
# The environment is bare: write `run env NAME=VALUE swift build` to set a variable. The network is the host's, so a
# server listening on the host's loopback is reachable.
#
# Why a tree: Debian carries Swift from `trixie` on, and its packages want a newer C library than `bookworm` has. What
# links on the older host also links and runs in the newer tree. Needs root, and apt sources for Debian.
set -euo pipefail

suite=trixie
# libc6-dev: headers and start files. pkgconf: SwiftPM asks it about system libraries. git: a dependency with a URL,
# the only kind in which SwiftPM refuses unsafe flags as it would for a stranger.
packages=swiftlang,libc6-dev,pkgconf,git
# Two thirds of what these packages hold, and nothing that builds, links, tests or documents a package for this machine: editors,
# debuggers, REPL; other platforms' and static runtimes, sanitizers, profiles; link-time optimisation; a whole C compiler
# where only its start files are wanted; Perl and Python; manuals.
swift=/usr/libexec/swift
excluded=("$swift/lib/swift_static/*" "$swift/lib/swift/embedded/*" "$swift/lib/swift/FrameworkABIBaseline/*"
  "$swift/lib/libsourcekitdInProc.so" "$swift/lib/swift/host/lib_InternalSwiftScan.so" "$swift/lib/swift/host/*.swiftmodule/*"
  "$swift/lib/libLTO*" "$swift/lib/libswiftGenericMetadataBuilder.so" "$swift/lib/clang/*/lib/linux/*san*"
  "$swift/lib/clang/*/lib/linux/*fuzzer*" "$swift/lib/clang/*/lib/linux/*memprof*" "$swift/lib/clang/*/lib/linux/*xray*"
  "$swift/lib/clang/*/lib/linux/*profile*" "$swift/lib/liblldb*" "$swift/bin/*lldb*" "$swift/bin/sourcekit-lsp" "$swift/bin/clangd"
  "$swift/bin/lld" "$swift/bin/llvm-cov" "$swift/bin/llvm-profdata" "$swift/bin/swift-format" "$swift/bin/swift-build-sdk-interfaces"
  '/usr/libexec/gcc/*/cc1' '/usr/libexec/gcc/*/lto1' '/usr/bin/*-lto-dump-*' '/usr/lib/*/lib*san.*' '/usr/lib/gcc/*/lib*san*'
  '/usr/lib/*/libc.a' '/usr/lib/*/libm-*.a' '/usr/lib/*/gconv/*' '/usr/lib/*/perl/*' '/usr/share/perl/*' '/usr/lib/python3*' '/usr/lib/*/libpython3*'
  '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/locale/*' '/usr/share/info/*')
# MB: the tree, and while it is made the packages it is made from.
needed=1500
# What a finished tree was made from; a tree made from anything else is made again.
recipe="$suite $packages ${excluded[*]}"

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
default_root=$project/target/swift-root

say() { echo "swift-toolchain: $*" >&2; }
die() { say "$*"; exit 1; }
need_root() { [ "$(id -u)" = 0 ] || die "needs root, to mount and chroot"; }
# What else fills the disk is not seen here; so it is asked before, not found out in the middle of it.
need_room() {
  local free
  free=$(df --output=avail --block-size=1M "$1" | tail -n 1)
  [ "$free" -ge "$needed" ] || die "making the tree takes $needed MB, and $1 has $((free)) MB free." \
    "Make room (cargo clean; docker system prune; apt-get clean), or set SWIFT_ROOT to a folder on another disk"
}
complete() { [ "$(cat "$1/.recipe" 2>/dev/null)" = "$recipe" ]; }

# The mirror the host already installs Debian from, whatever the form of its sources.
mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' \
    'Component: main' | head -n 1
}

install_tree() {
  local root=$1 partial=$1.partial settings=$1.apt.conf uri path arguments=()
  need_root
  complete "$root" && { say "already complete: $root"; return; }
  [ -e "$root/.recipe" ] || [ -z "$(ls -A "$root" 2>/dev/null)" ] || die "$root holds something else; not touched"
  mkdir -p "$(dirname "$root")"
  exec 9>"$root.lock" && flock 9
  complete "$root" && return

  command -v apt-get >/dev/null || die "this host has no apt; install Swift 6 by other means"
  rm -rf --one-file-system "$root" "$partial"
  need_room "$(dirname "$root")"
  uri=$(mirror)
  # The host's lists take room too: they are only fetched where there is no other way.
  if [ -z "$uri" ] || ! command -v mmdebstrap >/dev/null; then
    apt-get update -qq
    command -v mmdebstrap >/dev/null ||
      DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends mmdebstrap >/dev/null
    uri=$(mirror)
  fi
  [ -n "$uri" ] || die "no Debian mirror among the apt sources of this host"

  # mmdebstrap reads no settings of the host's apt, and a proxy or a private certificate may be named only there.
  apt-config dump | grep -E '^Acquire::(https?|Retries|Check-)' >"$settings" || true
  # Lists stay compressed, and no index of them is written: 200 MB less while the tree is made.
  printf '%s "%s";\n' Acquire::GzipIndexes true Acquire::Languages none Dir::Cache::pkgcache '' Dir::Cache::srcpkgcache '' \
    APT::Install-Recommends false >>"$settings"
  for path in "${excluded[@]}"; do arguments+=("--dpkgopt=path-exclude=$path"); done

  say "unpacking $suite into $root"
  mmdebstrap --mode=root --variant=essential --include="$packages" --aptopt="$settings" "${arguments[@]}" \
    --customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
    "$suite" "$partial" "$uri" || die "the tree could not be made"
  echo "$recipe" >"$partial/.recipe"
  mv "$partial" "$root"
  rm -f "$settings"
  cd / && run_in "$root" swift --version >&2
}

run_in() {
  local root=$1
  shift
  # Nothing of these mounts is seen outside, nor left behind, however the command ends.
  unshare --mount --propagation private -- bash -euc '
    root=$1 there=$2 count=$3; shift 3
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    for file in /etc/hosts /etc/resolv.conf; do [ ! -e "$file" ] || mount --bind "$file" "$root$file"; done
    for directory in "${@:1:count}"; do
      mkdir -p "$root$directory"
      mount --bind "$directory" "$root$directory"
    done
    shift "$count"
    exec chroot "$root" /usr/bin/env -i -C "$there" PATH=/usr/libexec/swift/bin:/usr/bin:/bin HOME=/root \
      LANG=C.UTF-8 "$@"
  ' run "$root" "$PWD" "${#binds[@]}" "${binds[@]}" "$@"
}

binds=()
case ${1-} in
install)
  install_tree "$(realpath -m "${2-$default_root}")"
  ;;
run)
  shift
  root=$default_root
  while [ $# -gt 0 ]; do
    case $1 in
    --root) root=$2; shift 2 ;;
    --bind) binds+=("$(realpath "$2")"); shift 2 ;;
    *) break ;;
    esac
  done
  [ $# -gt 0 ] || die "run what?"
  need_root
  root=$(realpath -m "$root")
  complete "$root" || die "no finished tree in $root; run 'install' first"
  cd "$(pwd -P)"
  binds+=("$project")
  # A second mount of a part of the project would make a move between the two a copy.
  [[ $PWD/ = "$project"/* || $PWD = / ]] || binds+=("$PWD")
  run_in "$root" "$@"
  ;;
*)
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
  exit 2
  ;;
esac

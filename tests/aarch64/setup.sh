# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# tests/aarch64/setup.sh - what ./run and ./system share: fetch, build
#
#	build/aarch64-root/root		packages of arm64, unpacked; no dpkg, and
#					nothing of the host's, knows of them
#	build/aarch64-tests		built for that
#
# SLAB_DEBIAN_MIRROR names another mirror, which must have backports, too.
top=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
have=$top/build/aarch64-root
build=$top/build/aarch64-tests
log=$top/build/aarch64-tests.log
suite=bookworm
mirror=${SLAB_DEBIAN_MIRROR:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() {
	printf 'slab: aarch64: %s\n' "$*" >&2
}

skip() {
	say "left out: $*"
	if [ "${SLAB_AARCH64:-}" = required ]; then
		exit 1
	fi
	exit 77
}

# apt of its own in a folder: NAME ARCHITECTURE SUITE, then apt-get's arguments.
apt_in() {
	local dir=$have/$1 architecture=$2 from=$3

	shift 3
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	echo "deb [signed-by=$keyring] $mirror $from main" >"$dir/sources.list"
	apt-get -q -y \
		-o APT::Architecture="$architecture" \
		-o APT::Architectures="$architecture" \
		-o APT::Install-Recommends=false \
		-o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Languages=none -o Acquire::Retries=2 \
		-o Debug::NoLocking=true \
		-o Dir::State::Lists="$dir/lists" \
		-o Dir::State::status="$dir/status" \
		-o Dir::Cache="$dir/cache" \
		-o Dir::Etc::SourceList="$dir/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		"$@" >>"$log" 2>&1 </dev/null
}

# Packages of arm64, or of here, and what they need, unpacked into a folder:
# NAME ARCHITECTURE PACKAGE...
fetch_into() {
	local to=$have/$1 apt=apt-$1 architecture=$2 deb

	shift 2
	[ -e "$to/.complete" ] && return
	say "fetching into ${to#"$top/"}, for $architecture: $*"
	rm -rf "$to"
	if ! apt_in "$apt" "$architecture" $suite update ||
		! apt_in "$apt" "$architecture" $suite \
			install --download-only "$@"; then
		skip "packages can not be fetched from $mirror: $log"
	fi
	mkdir -p "$to"
	for deb in "$have/$apt"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$to"
	done
	touch "$to/.complete"
	rm -rf "${have:?}/$apt"
}

fetch_compiler() {
	command -v aarch64-linux-gnu-gcc >/dev/null && return
	if [ "${SLAB_INSTALL:-yes}" = no ] || [ "$(id -u)" -ne 0 ]; then
		skip "no aarch64-linux-gnu-gcc (Debian: gcc-aarch64-linux-gnu)"
	fi
	say "installing: apt-get install gcc-aarch64-linux-gnu"
	# A mirror that is down matters only when the install fails too.
	apt-get -q update >>"$log" 2>&1 </dev/null || true
	DEBIAN_FRONTEND=noninteractive apt-get -q -y install \
		--no-install-recommends gcc-aarch64-linux-gnu \
		>>"$log" 2>&1 </dev/null ||
		skip "gcc-aarch64-linux-gnu can not be installed: $log"
}

quietly() {
	"$@" >>"$log" 2>&1 </dev/null && return
	cat "$log" >&2
	say "this failed, its log stands above and in $log: $*"
	exit 1
}

# What both need, or the reason why it can not be had.
setup() {
	local tool

	mkdir -p "$have"
	: >"$log"
	for tool in apt-get dpkg-deb cmake pkg-config make; do
		command -v $tool >/dev/null || skip "$tool is missing"
	done
	[ -e $keyring ] ||
		skip "$keyring is missing (Debian: debian-archive-keyring)"
	fetch_compiler
	fetch_into root arm64 libc6-dev libdw-dev libelf-dev liburcu-dev \
		libnuma-dev libcmocka-dev systemtap-sdt-dev
}

build_tests() {
	say "building build/aarch64-tests (log: build/aarch64-tests.log)"
	quietly cmake -G "Unix Makefiles" -S "$top" -B "$build" \
		-DCMAKE_TOOLCHAIN_FILE="$top/tests/aarch64/toolchain.cmake" \
		-DSLAB_AARCH64="$have" -DSLAB_CLI=OFF -DCMAKE_BUILD_TYPE=Debug \
		-DCMAKE_C_FLAGS_DEBUG="-O1 -g" -DSLAB_WERROR=ON
	quietly cmake --build "$build" --parallel "$(nproc)"
}

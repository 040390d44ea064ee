# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# tests/setup.sh - what cli/try and tests/run share: have the tools, build
#
# Sourced by bash under set -eu. It sets $top, the checkout, and
#	setup_build NAME [CMAKE ARGUMENT...]
# installs what is missing and builds $top into $top/build/NAME, quietly: the
# log is build/NAME.log, and a step that fails shows it.
#
# SLAB_INSTALL=no: install nothing; name what is missing and stop.

CDPATH=
top=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

say() {
	printf 'slab: %s\n' "$*" >&2
}

can_compile() {
	local program=$top/build/can_compile

	# shellcheck disable=SC2086 # CC may hold several words, as for CMake
	echo 'int main(void) { return 0; }' |
		${CC:-cc} -x c - -o "$program" && rm -f "$program"
}

has_header() {
	# shellcheck disable=SC2086
	echo "#include <$1>" | ${CC:-cc} -x c -fsyntax-only -
}

has_cmake() {
	local version

	version=$(cmake --version | sed -n 's/^cmake version //p')
	[ "$(printf '%s\n' 3.22 "$version" | sort -V | head -n 1)" = 3.22 ]
}

has_tcl() {
	pkg-config --exists tcl8.6 || pkg-config --exists 'tcl >= 8.6 tcl < 9'
}

# need "DEBIAN PACKAGE..." "WHAT IT IS" COMMAND THAT SUCCEEDS WHEN IT IS THERE
need() {
	"${@:3}" >/dev/null 2>&1 </dev/null && return
	# shellcheck disable=SC2206 # one row may name several packages
	packages+=($1)
	missing+=("$2 (Debian: $1)")
}

find_missing() {
	packages=()
	missing=()
	need "gcc libc6-dev" "a C compiler, gcc or clang" can_compile
	need make "make" make --version
	need cmake "CMake 3.22 or newer" has_cmake
	need pkg-config "pkg-config" pkg-config --version
	need libelf-dev "libelf of elfutils" pkg-config --exists libelf
	need libdw-dev "libdw of elfutils" pkg-config --exists libdw
	need liburcu-dev "liburcu" pkg-config --exists liburcu-memb
	need libreadline-dev "GNU Readline" pkg-config --exists readline
	need tcl8.6-dev "Tcl 8.6" has_tcl
	need libjson-c-dev "json-c" pkg-config --exists json-c
	if [ "$1" = tests ]; then
		need libcmocka-dev "cmocka" pkg-config --exists cmocka
		need python3 "Python 3" python3 --version
		need systemtap-sdt-dev "sys/sdt.h of SystemTap" has_header sys/sdt.h
		need mandoc "mandoc, which reads manual pages" command -v mandoc
	fi
}

stop_for_missing() {
	say "$1"
	printf '\t%s\n' "${missing[@]}" >&2
	exit 1
}

quietly() {
	"$@" >>"$log" 2>&1 </dev/null && return
	local status=$?

	cat "$log" >&2
	say "this failed, its log stands above and in $log: $*"
	exit "$status"
}

install_missing() {
	local as_root=()
	local apt_get=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y)

	find_missing "$1"
	if [ ${#missing[@]} -eq 0 ]; then
		return
	fi
	if [ "${SLAB_INSTALL:-yes}" = no ]; then
		stop_for_missing "SLAB_INSTALL=no, so please install first:"
	fi
	if ! command -v apt-get >/dev/null; then
		stop_for_missing "please install first, with headers:"
	fi
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null; then
			stop_for_missing \
				"please install as root (apt-get install ${packages[*]}):"
		fi
		as_root=(sudo)
	fi
	say "installing:${as_root:+ sudo} apt-get install ${packages[*]}"
	# A mirror that is down matters only when the install fails too.
	"${as_root[@]}" "${apt_get[@]}" update >>"$log" 2>&1 </dev/null || true
	quietly "${as_root[@]}" "${apt_get[@]}" install \
		--no-install-recommends "${packages[@]}"
	find_missing "$1"
	if [ ${#missing[@]} -gt 0 ]; then
		stop_for_missing "installed, and still not usable here:"
	fi
}

setup_build() {
	local name=$1 dir=$top/build/$1

	mkdir -p "$top/build"
	log=$top/build/$name.log
	: >"$log"
	install_missing "$name"

	# A checkout that was moved or copied has a cache of somewhere else.
	if [ -e "$dir/CMakeCache.txt" ] && ! grep -qxF \
		"CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$dir/CMakeCache.txt"; then
		rm -rf "$dir"
	fi
	say "building build/$name (log: build/$name.log)"
	quietly cmake -G "Unix Makefiles" -S "$top" -B "$dir" "${@:2}"
	quietly cmake --build "$dir" --parallel "$(nproc)"
}

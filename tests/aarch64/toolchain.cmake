# SPDX-License-Identifier: MIT
# Builds for aarch64 on another machine, with what tests/aarch64/run fetches
# into SLAB_AARCH64: a root of Debian's packages, and an emulator to run tests.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

set(
	SLAB_AARCH64 "${CMAKE_CURRENT_LIST_DIR}/../../build/aarch64-root"
	CACHE PATH "What tests/aarch64/run fetched"
)
# try_compile() reads this file again, without the cache.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SLAB_AARCH64)

set(CMAKE_SYSROOT "${SLAB_AARCH64}/root")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
set(
	ENV{PKG_CONFIG_LIBDIR}
	"${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig"
)
set(
	CMAKE_CROSSCOMPILING_EMULATOR
	"${SLAB_AARCH64}/qemu-aarch64;-L;${CMAKE_SYSROOT}"
)

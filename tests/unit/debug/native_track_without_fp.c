/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/native_track_without_fp.c - the same, where callers keep no
 * frame pointers: CMake builds this file so */
#define WITHOUT_FP
#include "native_track.c"

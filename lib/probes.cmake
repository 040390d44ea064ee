# SPDX-License-Identifier: MIT
# Trace points for bpftrace, perf and gdb, one a row of events.def: probe.h.
include(CheckIncludeFile)
if(SLAB_USDT)
	check_include_file(sys/sdt.h SLAB_HAVE_SDT)
	if(NOT SLAB_HAVE_SDT)
		message(
			STATUS
			"No sys/sdt.h (Debian: systemtap-sdt-dev): no USDT probes"
		)
	endif()
endif()

# SLAB_EVENT_CACHE_NEW is the probe cache_new.
set(rows "${CMAKE_CURRENT_SOURCE_DIR}/include/slab/events.def")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${rows}")
file(STRINGS "${rows}" events REGEX "^EVENT\\(")
set(probe_names "/* Made of events.def. */\n")
foreach(row IN LISTS events)
	string(REGEX REPLACE "^EVENT\\(([A-Z_]+), \"([^\"]+)\".*" "\\1" id "${row}")
	string(REGEX REPLACE "^EVENT\\(([A-Z_]+), \"([^\"]+)\".*" "\\2" name "${row}")
	string(REPLACE "-" "_" name "${name}")
	string(APPEND probe_names "#define PROBE_SLAB_EVENT_${id} ${name}\n")
endforeach()
file(CONFIGURE OUTPUT machine/probe_names.h CONTENT "${probe_names}" @ONLY)

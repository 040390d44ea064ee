# SPDX-License-Identifier: MIT
# The manual's section 3, from the comments of the public headers: man.awk.
find_program(AWK NAMES awk mawk gawk original-awk)
mark_as_advanced(AWK)
if(NOT AWK)
	message(STATUS "slab: no manual pages of functions, awk is missing")
	return()
endif()

file(GLOB public_headers CONFIGURE_DEPENDS include/slab/*.h)
# Nothing in it is for use by name.
list(FILTER public_headers EXCLUDE REGEX "/fast\\.h$")

set(pages "${CMAKE_CURRENT_BINARY_DIR}/man/man3")
string(TIMESTAMP today "%Y-%m-%d" UTC) # SOURCE_DATE_EPOCH, where it is set
add_custom_command(
	OUTPUT man.stamp
	COMMAND "${CMAKE_COMMAND}" -E rm -rf "${pages}"
	COMMAND "${CMAKE_COMMAND}" -E make_directory "${pages}"
	COMMAND
		"${AWK}" -v "out=${pages}" -v "version=${PROJECT_VERSION}"
		-v "date=${today}" -f "${CMAKE_CURRENT_SOURCE_DIR}/man.awk"
		${public_headers}
	COMMAND "${CMAKE_COMMAND}" -E touch man.stamp
	DEPENDS man.awk ${public_headers}
	COMMENT "Manual pages of the public headers' functions"
	VERBATIM
)
add_custom_target(slab_man ALL DEPENDS man.stamp)
install(
	DIRECTORY "${pages}"
	DESTINATION "${CMAKE_INSTALL_MANDIR}"
	OPTIONAL
)

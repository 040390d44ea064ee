/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_runner.h - `slabctl test PATH...`
 */
#ifndef CLI_TEST_RUNNER_H
#define CLI_TEST_RUNNER_H

#include "session.h"

/* argv[0] is "test". */
enum exit_code test_main(int argc, char **argv);

#endif

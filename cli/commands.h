/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * commands.h - the files of commands; each table ends with an empty row
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "command.h"

extern const struct command cache_commands[];	 /* cmd_cache.c */
extern const struct command slab_commands[];	 /* cmd_slab.c */
extern const struct command object_commands[];	 /* cmd_object.c */
extern const struct command map_commands[];	 /* cmd_map.c */
extern const struct command alloc_commands[];	 /* cmd_alloc.c */
extern const struct command run_commands[];	 /* cmd_run.c */
extern const struct command sheaf_commands[];	 /* cmd_sheaf.c */
extern const struct command cpu_commands[];	 /* cmd_cpu.c */
extern const struct command barn_commands[];	 /* cmd_barn.c */
extern const struct command stop_commands[];	 /* cmd_stop.c */
extern const struct command memory_commands[];	 /* cmd_memory.c */
extern const struct command corrupt_commands[];	 /* cmd_corrupt.c */
extern const struct command check_commands[];	 /* cmd_check.c */
extern const struct command report_commands[];	 /* cmd_report.c */
extern const struct command expect_commands[];	 /* cmd_expect.c */
extern const struct command scenario_commands[]; /* scenario.c */
extern const struct command machine_commands[];	 /* cmd_machine.c */
extern const struct command sweep_commands[];	 /* cmd_sweep.c */
extern const struct command tree_commands[];	 /* cmd_tree.c */
extern const struct command lesson_commands[];	 /* cmd_lesson.c */
extern const struct command session_commands[];	 /* cmd_session.c */

#endif

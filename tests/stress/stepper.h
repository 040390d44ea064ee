/* SPDX-License-Identifier: MIT */
/*
 * tests/stress/stepper.h - a signal between any two instructions
 *
 * From stepper_start() to stepper_stop() the CPU traps after each instruction
 * of this thread, and `between` runs in the trap's signal handler: there is no
 * phase of any path, and no lock held by one, that it does not interrupt. What
 * a restartable sequence does is one step: a signal starts it anew, so it can
 * not be interrupted half done. Behind it a breakpoint waits, if no other
 * thread may come by there; else the next stepper_again() goes on.
 *
 * A signal takes long, and a loop over a page is a phase of its own: after
 * `budget` instructions (0: no end) the rest runs through, up to the next
 * stepper_again().
 */
#ifndef TESTS_STRESS_STEPPER_H
#define TESTS_STRESS_STEPPER_H

#include <stdbool.h>

/* false: this CPU can not do it. */
bool stepper_init(void (*between)(void));
void stepper_start(unsigned long budget, bool is_alone);
void stepper_again(void);
void stepper_stop(void);
unsigned long stepper_steps(void);

#endif

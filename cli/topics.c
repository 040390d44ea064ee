/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * topics.c - what help says beyond the commands
 */
#include <stddef.h>

#include "help.h"

/* The texts stand as they are shown. */
/* clang-format off */
const struct topic topics[] = {
	{ "options", "how slabctl is called",
"slabctl                          a shell on a terminal, else a script from stdin\n"
"slabctl [OPTIONS] COMMAND ...    one command\n"
"slabctl [OPTIONS] -f FILE|-      a script; more words become $argv\n"
"slabctl [OPTIONS] test PATH... [--tap] [--junit FILE] [--jobs N]\n"
"                               [--filter GLOB]\n"
"slabctl [OPTIONS] lesson [NAME]  a lesson, or which there are\n"
"\n"
"-c CMD              run CMD; may stand there several times, a COMMAND behind\n"
"-f FILE             run a script; it stops at the first error\n"
"-j, --json          answers as JSON, one envelope a command\n"
"-p, --pretty        the same, for people\n"
"    --ndjson        the same, a line a row of the answer\n"
"    --seed N        of everything random (0)\n"
"    --cpus N        virtual CPUs (1)\n"
"    --nodes N       memory nodes (1)\n"
"    --slab-debug=S  the kernel's slab_debug=: FZPU, FZ,ring, -,dentry ...\n"
"    --sysctl N=V    a kernel parameter: slab_max_order=0\n"
"    --color WHEN    auto, always or never; NO_COLOR counts\n"
"    --ascii         no other characters\n"
"    --width N       columns; 0: no limit\n"
"    --keep-going    a script goes on behind an error\n"
"    --trusted       scripts may read files and run programs, without limits\n"
"    --limit-time S  seconds a script may take (60)\n"
"    --record FILE   what was typed, as a script\n"
"    --native        the machine that this process runs on (slabctl -h native)\n"
"-q, --quiet         a script shows only what it puts\n"
"-h, --help [TOPIC]  this, or help on a topic\n"
"-V, --version" },
	{ "exit", "what exit codes mean",
"0   fine\n"
"1   the tool worked and the answer is bad: an expectation failed, damage was\n"
"    found, an allocation failed, a lesson's input ended before it did\n"
"2   usage or syntax: what was wrong, where, and what would have been right\n"
"3   the target can not be opened or read\n"
"4   the answer is incomplete: the target is damaged, or stdout takes no more\n"
"5   the machine died on a signal or an abort that nobody expected\n"
"77  skipped, with the reason\n"
"A script that Ctrl-C ends dies of SIGINT, as shells expect." },
	{ "names", "what objects, slabs and addresses are called",
"ring:S1       slab 1 of cache ring: the first it ever had\n"
"ring:S1#3     object 3 of that slab, whatever lies in it now\n"
"$b            what `alloc ring as b` got\n"
"0x5500...     an address as the machine prints it\n"
"\n"
"Behind each, as often as you like:\n"
"+N -N         bytes up or down\n"
".start .end   first byte of the object, first byte behind it\n"
".left         the red zone in front      .redzone      the one behind\n"
".fp           the free pointer           .track.alloc  .track.free\n"
".orig         the recorded size          .pad          the padding\n"
".slab         the slab\n"
"So `poke $b.end 0x12` is an overflow by one byte, whatever the flags are." },
	{ "flags", "letters of debug= and slab-debug=",
"F  check objects when they are allocated and freed\n"
"Z  red zones around objects\n"
"P  poison: free objects are filled and looked at\n"
"U  users: who allocated and freed an object last\n"
"T  trace each allocation and free\n"
"A  the cache may fail on purpose (failslab)\n"
"O  (slab-debug only) off where debugging would need larger slabs\n"
"-  none" },
	{ "states", "what a slab can be",
"partial   on its node's list, with free objects\n"
"empty     partial, and no object in use\n"
"full      no free object; on a list only with debug flag U\n"
"frozen    a check failed while allocating: it is never used again, its\n"
"          objects count as used and later frees into it are refused\n"
"isolated  taken off the list, in one thread's hands: seen while a CPU is\n"
"          stopped there (help stop-at)" },
	{ "owners", "free, but where? Letters of map, words of owner",
"#  user       a user holds it\n"
"m  main       in the sheaf that this CPU allocates from and frees to\n"
"s  spare      in the CPU's second sheaf, which main trades places with\n"
"l  local      native: in a full sheaf that this CPU keeps before the barn\n"
"b  barn       in a full sheaf that the CPUs of a node share\n"
"r  rcu        given to kfree_rcu: it waits for a grace period\n"
"p  prefilled  in a sheaf that somebody borrowed (sheaf prefill)\n"
".  freelist   on the free chain of its slab\n"
"X  lost       in a frozen slab, or refused by a free: nobody gets it\n"
"?  unknown    the slab's free chain is cut, so it can not be told\n"
"!  damaged    a check finds something in it; counted with its owner\n"
"\n"
"users + sheaves (m s l b r p) + freelist + lost + unknown = all objects, in map,\n"
"slab list, cache list, cpu view and barn show. A slab's own count, inuse, has\n"
"what rests in sheaves as used." },
	{ "scripts", "files of commands",
"A line is a command: words with blanks between. It is Tcl, so there are\n"
"variables, loops and procedures; who never needs them never meets them.\n"
"    alloc ring 3 as a b c         sets $a, $b and $c\n"
"    set x [alloc ring]            the same for one\n"
"    foreach o [list $a $b] { free $o }\n"
"    puts [map ring]               shows an answer; dict get takes it apart\n"
"    @1 free $a                    on virtual CPU 1; also @1 { ... }\n"
"    free $a ;# a note             a note needs the semicolon\n"
"Plain text with brackets wants braces: expect report {[odd] title}.\n"
"Scripts can read no files (but source, beside them) and run no programs." },
	{ "scenarios", "stories that must come true",
"scenario \"an overflow is found when the object is freed\" {\n"
"    cache create ring size=192 debug=FZPU\n"
"    alloc ring as b\n"
"    corrupt $b right-redzone found=0x12\n"
"    free $b\n"
"    expect report \"Right Redzone overwritten\" object=$b found=0x12\n"
"}\n"
"Each has a fresh machine; keys behind the title shape it: cpus=2 nodes=2\n"
"seed=7 pages=100 slab-debug=FZ and kernel parameters. A report that no\n"
"expect took fails it. `slabctl test FILE` runs them.\n"
"expect error \"GLOB\" {SCRIPT} takes what an operation answers; a slip in\n"
"SCRIPT (no such command, a word too many) is a mistake there, too.\n"
"needs=asan: skipped but in builds with AddressSanitizer; asan=off: there,\n"
"it watches no object.\n"
"`slabctl --native test` plays them on real threads, each on one CPU, and skips\n"
"those that want another shape, stopped CPUs or a clock that is told the time.\n"
"\"needs=virtual: WHY\": skipped there for this reason; local=off: there, full\n"
"sheaves go to the barn at once." },
	{ "native", "--native: real threads, CPUs, memory and time",
"Without it, slabctl works on a virtual machine: one thread that switches\n"
"between CPUs, addresses and a clock that are the same everywhere. With it, on\n"
"the machine that programs with libslab run on: this process's.\n"
"    slabctl --native\n"
"    slabctl> cache create ring size=192\n"
"    slabctl> run cache=ring threads=8 seconds=5\n"
"    slabctl> map ring; cpu view ring; verify\n"
"run has figures on a terminal while it runs; Ctrl-C ends it, and what its\n"
"threads hold is kept. All that looks works as ever; addresses, times and\n"
"stacks are real ones. What only a virtual machine can do says so: @N, cpu use,\n"
"offline and online, machine tick, rcu tick, stop-at, explain, sweep, damage to\n"
"sheaves. Statistics are on; --sysctl statistics=off is what programs have.\n"
"\n"
"run mix=WORD:N,...\n"
#define WORK(id, word, brief) word ": " brief "\n"
#include "work_words.def"
#undef WORK
"On a virtual machine the CPUs that are online take turns, an operation each;\n"
"the same seed does the same." },
	{ "points", "where a CPU can be stopped, or interrupted",
"`@1 stop-at list_lock { free $a }` leaves CPU 1 there, `@1 go` goes on;\n"
"`interrupt-at list_lock { free $x nolock } { free $a }` runs one inside.\n"
#define POINT(id, name, sentence) "\n" name ": " sentence
#include <slab/points.def>
#undef POINT
	},
	{ "events", "the steps of `explain on` and `expect event`",
"%object, %slab and %cache are what the step is about, %a and %b its numbers.\n"
#define EVENT(id, name, sentence) "\n" name ": " sentence
#include <slab/events.def>
#undef EVENT
	},
	{ NULL, NULL, NULL },
};

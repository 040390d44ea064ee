/*
 * slab/inject.h - break things on purpose
 *
 * Kinds are rows of corruptions.def; each says what it damages, what it needs
 * and where it is found under each set of debug flags.
 *
 * Errors: 0 or -errno: -ENOENT (no such kind), -EINVAL (the target or a value
 * does not fit the kind, see why), -EFAULT (outside the machine's pages).
 */
#ifndef SLAB_INJECT_H
#define SLAB_INJECT_H

#include <slab/inspect.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes by hand: seen by no sanitizer, judged by no check. Only pages that
 * the machine has given out. */
SLAB_API int slab_poke(struct slab_machine *m, uintptr_t address,
		       const void *bytes, size_t n);

/* Flag sets of the matrix's columns, in this order. */
#define SLAB_MATRIX_SETS(SET)                                              \
	SET(none, "-") SET(F, "F") SET(Z, "Z") SET(P, "P") SET(U, "U")     \
	SET(FZ, "FZ") SET(FP, "FP") SET(ZP, "ZP") SET(FU, "FU")            \
	SET(ZU, "ZU") SET(FZP, "FZP") SET(FZPU, "FZPU")
enum slab_matrix_set {
#define SET(id, text) SLAB_SET_##id,
	SLAB_MATRIX_SETS(SET)
#undef SET
	SLAB_NR_SETS,
};
SLAB_API const char *slab_matrix_set_text(enum slab_matrix_set set);

enum slab_corrupt_target {
	SLAB_TARGET_OBJECT,
	SLAB_TARGET_SLAB,
	SLAB_TARGET_CPU, /* a cache's sheaves on one CPU */
};

struct slab_corruption {
	const char *name;    /* right-redzone */
	const char *damages; /* one plain sentence */
	enum slab_corrupt_target target;
	const char *needs;   /* "allocated", "free", ... in words; "" nothing */
	const char *keys;    /* key names it takes, blank between; "" none */
	/* a letter a place that finds it: a alloc, f free, v validate, d
	 * destroy, y verify, h free on a hardened machine, s AddressSanitizer's build;
	 * "-" never; "" the kind can not be done there (corruptions.def) */
	const char *found_by[SLAB_NR_SETS];
};

/* The rows of corruptions.def: how many; the i-th; the one of that name, or
 * NULL. */
SLAB_API size_t slab_nr_corruptions(void);
SLAB_API const struct slab_corruption *slab_corruption(size_t i);
SLAB_API const struct slab_corruption *slab_corruption_find(const char *name);

/* key=value pairs; a NULL key ends the array. Numbers as C writes them,
 * addresses as the machine prints them. */
struct slab_corrupt_value {
	const char *key, *value;
};

struct slab_corrupt_result {
	uintptr_t first, last; /* bytes changed; 0, 0: none in user bytes */
	uint8_t before, after; /* of the first */
	char text[160];	       /* what was done, one sentence */
	char why[160];	       /* on error: what is wrong and what would fit */
};

/* Does it: address is an object's (or of a byte in a slab, for slab kinds; for
 * CPU kinds that of the cache which is meant, on the current CPU). */
SLAB_API int slab_corrupt(struct slab_machine *m, const char *kind,
			  uintptr_t address,
			  const struct slab_corrupt_value *values,
			  struct slab_corrupt_result *ret);
/* The kinds aimed at a CPU, on any CPU and with no object at hand. */
SLAB_API int slab_corrupt_cpu(struct slab_machine *m, const char *kind,
			      unsigned int cpu, struct kmem_cache *s,
			      const struct slab_corrupt_value *values,
			      struct slab_corrupt_result *ret);

#ifdef __cplusplus
}
#endif
#endif

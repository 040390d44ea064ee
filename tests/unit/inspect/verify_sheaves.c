/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/verify_sheaves.c - each invariant of what rests in front
 * of the slabs, broken alone, is found, and found once */
#include "../lab.h"

#include <slab/inspect.h>
#include <slab/sheaf.h>

#include "slab/cpu.h"

#define CAPACITY 60U

static struct slab_target *target;
static char found[2048];
static unsigned int nr_found;

static int setup(void **state)
{
	lab_setup(state);
	return slab_target_open_self(lab.m, &target);
}

static int teardown(void **state)
{
	slab_target_close(target);
	return lab_teardown(state);
}

static void note(void *arg, const struct slab_report *r)
{
	size_t n = strlen(found);

	(void)arg;
	nr_found++;
	snprintf(found + n, sizeof(found) - n, "%s%s", n ? "; " : "", r->text);
	assert_true(r->is_zap);
}

/* What verify says of s is this, and it is counted. */
static void finds(struct kmem_cache *s, const char *wanted)
{
	long n;

	found[0] = '\0';
	nr_found = 0;
	lab.m->rest_seq++; /* as who did the damage would */
	n = slab_target_verify(target, (uintptr_t)s, note, NULL);
	assert_string_equal(found, wanted);
	assert_int_equal(n, nr_found);
	assert_int_equal(slab_machine_reports(lab.m), 0);
}

static struct kmem_cache *cache(void)
{
	return kmem_cache_create("ring", 200, NULL, SLAB_NO_MERGE);
}

static struct slub_percpu_sheaves *pcs_of(struct kmem_cache *s)
{
	return &s->cpu_sheaves[0];
}

/* main with 59 objects, a full spare, 2 full and 1 empty sheaf in the barn, an
 * object in rcu_free, one that waits in RCU, one lent sheaf. */
static struct kmem_cache *everywhere(void)
{
	struct kmem_cache *s = cache();
	void *p[4 * CAPACITY], *waits[2];
	unsigned int i;

	for (i = 0; i < 4 * CAPACITY; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	waits[0] = kmem_cache_alloc(s, GFP_KERNEL);
	waits[1] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < 4 * CAPACITY; i++)
		kmem_cache_free(s, p[i]);
	kfree_rcu(waits[0]);
	kmem_cache_prefill_sheaf(s, GFP_KERNEL, 3);
	return s;
}

static void what_rests_everywhere_is_in_order(void **state)
{
	struct kmem_cache *s = everywhere();
	struct slab_sheaf_info *all;
	unsigned int places = 0;
	size_t nr, i;

	(void)state;
	finds(s, "");
	assert_int_equal(slab_target_sheaves(target, (uintptr_t)s, &all, &nr),
			 0);
	for (i = 0; i < nr; i++)
		places |= 1U << all[i].place;
	free(all);
	assert_int_equal(places & (1U << SLAB_OWNER_MAIN),
			 1U << SLAB_OWNER_MAIN);
	assert_int_equal(places & (1U << SLAB_OWNER_BARN),
			 1U << SLAB_OWNER_BARN);
	assert_int_equal(places & (1U << SLAB_OWNER_RCU), 1U << SLAB_OWNER_RCU);
	assert_int_equal(places & (1U << SLAB_OWNER_PREFILLED),
			 1U << SLAB_OWNER_PREFILLED);
}

static void p1_a_cpu_without_main(void **state)
{
	struct kmem_cache *s = cache();
	struct slab_sheaf *main = pcs_of(s)->main;

	(void)state;
	pcs_of(s)->main = NULL;
	finds(s, "SLUB ring: Sheaf corrupt: CPU 0 has no main sheaf; "
		 "SLUB ring: Sheaf corrupt: main of CPU 0 is none of the cache "
		 "(0x0)");
	pcs_of(s)->main = main;
}

static void p2_a_sheaf_that_is_too_full(void **state)
{
	struct kmem_cache *s = everywhere();

	(void)state;
	pcs_of(s)->main->size = CAPACITY + 1;
	finds(s, "SLUB ring: Sheaf corrupt: main of CPU 0 has 61 objects and "
		 "room for 60");
}

static void p3_a_full_rcu_free(void **state)
{
	struct kmem_cache *s = cache();
	unsigned int i;

	(void)state;
	for (i = 0; i < CAPACITY - 1; i++)
		kfree_rcu(kmem_cache_alloc(s, GFP_KERNEL));
	finds(s, "");
	pcs_of(s)->rcu_free->objects[CAPACITY - 1] =
		kmem_cache_alloc(s, GFP_KERNEL);
	pcs_of(s)->rcu_free->size = CAPACITY;
	finds(s, "SLUB ring: Sheaf corrupt: rcu of CPU 0 is full and was not "
		 "handed to RCU");
}

static void p4_a_sheaf_in_two_places(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	slab_cache_flush_cpu(lab.m, s);
	pcs_of(s)->spare = pcs_of(s)->main;
	finds(s, "SLUB ring: Sheaf corrupt: main of CPU 0 is spare of CPU 0, "
		 "too");
	pcs_of(s)->spare = NULL;
}

static void p4_a_sheaf_of_another_cache(void **state)
{
	struct kmem_cache *s = cache(), *t;
	char wanted[160];

	(void)state;
	t = kmem_cache_create("pond", 200, NULL, SLAB_NO_MERGE);
	pcs_of(s)->spare = pcs_of(t)->main;
	snprintf(wanted, sizeof(wanted),
		 "SLUB ring: Sheaf corrupt: spare of CPU 0 is none of the "
		 "cache (0x%lx)",
		 slab_machine_print_address(lab.m, (uintptr_t)pcs_of(t)->main));
	finds(s, wanted);
	pcs_of(s)->spare = NULL;
}

static void p4_a_lent_sheaf_on_a_cpu(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	pcs_of(s)->main->place = SHEAF_LENT;
	finds(s, "SLUB ring: Sheaf corrupt: main of CPU 0 is marked as being "
		 "somewhere else");
	pcs_of(s)->main->place = SHEAF_RESTS;
}

static void p5_an_object_twice_in_sheaves(void **state)
{
	struct kmem_cache *s = everywhere();
	struct slab_sheaf *full = list_first_entry(
		&s->node[0]->barn->sheaves_full, struct slab_sheaf, list);
	char wanted[160];

	(void)state;
	assert_true(pcs_of(s)->main->size > 0);
	full->objects[7] = pcs_of(s)->main->objects[0];
	snprintf(wanted, sizeof(wanted),
		 "SLUB ring: Sheaf corrupt: 0x%lx rests twice, main and barn",
		 slab_machine_print_address(
			 lab.m, (uintptr_t)pcs_of(s)->main->objects[0]));
	finds(s, wanted);
}

static void p5_an_object_on_a_chain_too(void **state)
{
	struct kmem_cache *s = cache();
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	char wanted[160];

	(void)state;
	kmem_cache_free(s, p);
	slab_cache_flush_cpu(lab.m, s);
	finds(s, "");
	pcs_of(s)->main->objects[0] = p;
	pcs_of(s)->main->size = 1;
	snprintf(wanted, sizeof(wanted),
		 "SLUB ring: Sheaf corrupt: 0x%lx rests twice, main and on the "
		 "free chain of S3",
		 slab_machine_print_address(lab.m, (uintptr_t)p));
	finds(s, wanted);
}

static void p5_half_an_object(void **state)
{
	struct kmem_cache *s = cache();
	char *p = kmem_cache_alloc(s, GFP_KERNEL), wanted[160];

	(void)state;
	kmem_cache_free(s, p + 8);
	snprintf(wanted, sizeof(wanted),
		 "SLUB ring: Sheaf corrupt: 0x%lx, main, is no object of the "
		 "cache",
		 slab_machine_print_address(lab.m, (uintptr_t)p + 8));
	finds(s, wanted);
}

static void p6_counts_of_a_barn(void **state)
{
	struct kmem_cache *s = everywhere();
	struct node_barn *barn = s->node[0]->barn;
	unsigned int full = barn->nr_full, empty = barn->nr_empty;
	char wanted[256];

	(void)state;
	barn->nr_full = 0;
	barn->nr_empty += 7;
	snprintf(wanted, sizeof(wanted),
		 "SLUB ring: Barn corrupt: node 0: %u full sheaves counted but "
		 "counter=0; SLUB ring: Barn corrupt: node 0: %u empty sheaves "
		 "counted but counter=%u",
		 full, empty, empty + 7);
	assert_true(full > 0);
	finds(s, wanted);
}

static void p6_a_full_sheaf_that_is_empty(void **state)
{
	struct kmem_cache *s = everywhere();

	(void)state;
	list_first_entry(&s->node[0]->barn->sheaves_full, struct slab_sheaf,
			 list)
		->size = 0;
	finds(s, "SLUB ring: Sheaf corrupt: a full sheaf of the barn of node 0 "
		 "is empty");
}

static void p8_sheaves_of_a_debug_cache(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("ring", 200, NULL, SLAB_POISON);
	struct kmem_cache *t =
		kmem_cache_create("pond", 200, NULL, SLAB_NO_MERGE);

	(void)state;
	finds(s, "");
	s->node[0]->barn = t->node[0]->barn;
	finds(s, "SLUB ring: Barn corrupt: node 0 has one and the cache no "
		 "sheaves");
	s->node[0]->barn = NULL;
}

/* A CPU that stands in the middle of a move. */
static void who_holds_the_lock_is_not_judged(void **state)
{
	struct kmem_cache *s = everywhere();

	(void)state;
	lock_take(&pcs_of(s)->lock);
	pcs_of(s)->main->size = CAPACITY + 1;
	finds(s, "");
	pcs_of(s)->main->size = 0;
	lock_release(&pcs_of(s)->lock);
}

#define verify_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		verify_test(what_rests_everywhere_is_in_order),
		verify_test(p1_a_cpu_without_main),
		verify_test(p2_a_sheaf_that_is_too_full),
		verify_test(p3_a_full_rcu_free),
		verify_test(p4_a_sheaf_in_two_places),
		verify_test(p4_a_sheaf_of_another_cache),
		verify_test(p4_a_lent_sheaf_on_a_cpu),
		verify_test(p5_an_object_twice_in_sheaves),
		verify_test(p5_an_object_on_a_chain_too),
		verify_test(p5_half_an_object),
		verify_test(p6_counts_of_a_barn),
		verify_test(p6_a_full_sheaf_that_is_empty),
		verify_test(p8_sheaves_of_a_debug_cache),
		verify_test(who_holds_the_lock_is_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * slab/fast.h - the few instructions that most allocations and frees are
 *
 * Included by slab/cache.h; nothing here is to be used by name. What a program
 * compiles in is a restartable sequence on this CPU's main sheaf: no atomic
 * instruction, no lock, one store that commits. Everything that it can not
 * finish (sheaf empty or full, CPU locked, debug cache, virtual machine, no
 * rseq) it leaves to the library, which exports the same functions.
 *
 *	record of this CPU --> sheaf { ..., size, pushes, capacity, objects[] }
 *
 * The size's word has a second half that counts pushes, so that the one store
 * that commits keeps the statistics too: no counter of its own is written. When
 * it is full the library empties it.
 *
 * The record's first word is the only thing that is decided from: whoever
 * holds the CPU's lock has put a sheaf there that is always empty and always
 * full. The order of loads and the single commit: rules 3 and 4 of the
 * user-space lock in lib/THEORY.md.
 *
 * ABI: the numbers below are part of the library's major version.
 */
#ifndef SLAB_FAST_H
#define SLAB_FAST_H

#ifdef __cplusplus
extern "C" {
#endif

/* What a cache begins with. */
struct slab_fast {
	void *cpus;	/* a record of 128 bytes each */
	uintptr_t base; /* of the machine's pages: */
	size_t bytes;	/* what lies elsewhere is no object */
	unsigned int object_size;
	unsigned int reserved;
};

#define SLAB_FAST_CPU_SHIFT 7
#define SLAB_FAST_SIZE	    24 /* in a sheaf; behind it what was pushed */
#define SLAB_FAST_CAPACITY  32
#define SLAB_FAST_OBJECTS   48
#define SLAB_FAST_PUSH	    0x100000001UL /* one more, and one more pushed */

/* Never a function of its own: what has the name is the library's. */
#define SLAB_INLINE extern inline __attribute__((gnu_inline, always_inline))

/* gcc and clang with a glibc that registers restartable sequences have what it
 * takes; others call the library. The number is read from cpu_id_start: where
 * nobody registered, that says 0, and the record shows inline paths nothing. */
#if defined(__GNUC__) && defined(__GLIBC__) && \
	((defined(__x86_64__) && defined(__LP64__)) || defined(__aarch64__))
#if __GLIBC_PREREQ(2, 35)
#include <sys/rseq.h>
#define SLAB_HAS_FAST 1
#endif
#endif

/* Inside the library a copy, which takes it one load instead of two. */
#ifdef SLAB_INSIDE
extern ptrdiff_t slab_rseq_offset __attribute__((visibility("hidden")));
#define SLAB_RSEQ_OFFSET slab_rseq_offset
#else
#define SLAB_RSEQ_OFFSET __rseq_offset
#endif

/* ThreadSanitizer can not read the sections: whoever gets an object comes
 * behind whoever gave it back. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLAB_HAS_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define SLAB_HAS_TSAN 1
#endif
#ifdef SLAB_HAS_TSAN
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#define SLAB_SAY_GOT(object)   __tsan_acquire(object)
#define SLAB_SAY_GIVEN(object) __tsan_release(object)
#else
#define SLAB_SAY_GOT(object)   ((void)(object))
#define SLAB_SAY_GIVEN(object) ((void)(object))
#endif

/* The kernel reads a thread's last section later, when it is interrupted next:
 * what can be unloaded takes it back. */
#if defined(__PIC__) && !defined(__PIE__) && !defined(SLAB_NO_INLINE)
#define SLAB_MAY_GO 1
#endif

#if defined(SLAB_HAS_FAST) && defined(__x86_64__)

/*
 * From SLAB_RSEQ_BEGIN to SLAB_RSEQ_END the thread is not interrupted, or goes
 * back to the beginning. BEGIN leaves CPU << SLAB_FAST_CPU_SHIFT in %[t] and
 * wants the offset in %[rseq]. Labels of a section: 881 its description,
 * 882 and 883 its ends, 884 where the kernel sends who was interrupted, 885
 * where that one begins anew.
 */
#define SLAB_RSEQ_BEGIN                                          \
	".pushsection __rseq_cs, \"aw\"\n\t"                     \
	".balign 32\n"                                           \
	"881:\t.long 0, 0\n\t"                                   \
	".quad 882f, 883f - 882f, 884f\n\t"                      \
	".popsection\n\t"                                        \
	".pushsection __rseq_failure, \"ax\"\n\t"                \
	".byte 0x0f, 0xb9, 0x3d\n\t" /* an undefined opcode with */ \
	".long 0x53053053\n" /* the signature as its operand */  \
	"884:\tjmp 885f\n\t"                                     \
	".popsection\n"                                          \
	"885:\tleaq 881b(%%rip), %[t]\n\t"                       \
	"movq %[t], %%fs:8(%[rseq])\n"                           \
	"882:\tmovl %%fs:(%[rseq]), %k[t]\n\t"                   \
	"shlq $7, %[t]\n\t"
#ifdef SLAB_MAY_GO
#define SLAB_RSEQ_END "\n883:\tmovq $0, %%fs:8(%[rseq])\n"
#else
#define SLAB_RSEQ_END "\n883:\n"
#endif

/* The top of this CPU's main sheaf; false: ask the library. */
SLAB_INLINE bool
slab_fast_pop(const struct slab_fast *fast, void **object)
{
	uint64_t t, n, i;
	bool is_empty;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "movq (%[cpus],%[t]), %[t]\n\t"
			 "movq 24(%[t]), %[n]\n\t"
			 "movl %k[n], %k[i]\n\t"
			 "subl $1, %k[i]\n\t"
			 "jb 883f\n\t"
			 "leaq -1(%[n]), %[n]\n\t"
			 "movq 48(%[t],%[i],8), %[object]\n\t"
			 "movq %[n], 24(%[t])" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   [object] "=&r"(*object), "=@ccc"(is_empty)
			 : [rseq] "r"(SLAB_RSEQ_OFFSET), [cpus] "r"(fast->cpus)
			 : "memory");
	if (!is_empty)
		SLAB_SAY_GOT(*object);
	return !is_empty;
}

/* false: ask the library. */
SLAB_INLINE bool
slab_fast_push(const struct slab_fast *fast, void *object)
{
	uint64_t t, n, i;
	bool has_room;

	if (__builtin_expect((uintptr_t)object - fast->base >= fast->bytes, 0))
		return false;
	SLAB_SAY_GIVEN(object);
	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "movq (%[cpus],%[t]), %[t]\n\t"
			 "movq 24(%[t]), %[n]\n\t"
			 "movl %k[n], %k[i]\n\t"
			 "cmpl %k[i], 32(%[t])\n\t"
			 "jbe 883f\n\t"
			 "addq %[push], %[n]\n\t"
			 "jc 883f\n\t"
			 "movq %[object], 48(%[t],%[i],8)\n\t"
			 "movq %[n], 24(%[t])" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   "=@cca"(has_room)
			 : [rseq] "r"(SLAB_RSEQ_OFFSET), [cpus] "r"(fast->cpus),
			   [object] "r"(object), [push] "r"(SLAB_FAST_PUSH)
			 : "memory");
	return has_room;
}

#elif defined(SLAB_HAS_FAST)

/* As on x86-64; the thread's area is in %[rseq], and %[t] gets CPU << 7. */
#define SLAB_RSEQ_BEGIN                                   \
	".pushsection __rseq_cs, \"aw\"\n\t"              \
	".balign 32\n"                                    \
	"881:\t.long 0, 0\n\t"                            \
	".quad 882f, 883f - 882f, 884f\n\t"               \
	".popsection\n\t"                                 \
	".pushsection __rseq_failure, \"ax\"\n\t"         \
	".inst 0xd428bc00\n" /* brk with the signature */ \
	"884:\tb 885f\n\t"                                \
	".popsection\n"                                   \
	"885:\tadrp %[t], 881b\n\t"                       \
	"add %[t], %[t], :lo12:881b\n\t"                  \
	"str %[t], [%[rseq], 8]\n"                        \
	"882:\tldr %w[t], [%[rseq]]\n\t"                  \
	"lsl %[t], %[t], 7\n\t"
#ifdef SLAB_MAY_GO
#define SLAB_RSEQ_END "\n883:\tstr xzr, [%[rseq], 8]\n"
#else
#define SLAB_RSEQ_END "\n883:\n"
#endif

SLAB_INLINE char *slab_rseq_area(void)
{
	return (char *)__builtin_thread_pointer() + SLAB_RSEQ_OFFSET;
}

SLAB_INLINE bool
slab_fast_pop(const struct slab_fast *fast, void **object)
{
	uint64_t t, n, i;
	uint64_t found;

	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "mov %[found], 0\n\t"
			 "ldr %[t], [%[cpus], %[t]]\n\t"
			 "ldr %[n], [%[t], 24]\n\t"
			 "ands %[i], %[n], 0xffffffff\n\t"
			 "b.eq 883f\n\t"
			 "sub %[n], %[n], 1\n\t"
			 "add %[object], %[t], %[i], lsl 3\n\t"
			 "ldr %[object], [%[object], 40]\n\t"
			 "mov %[found], 1\n\t"
			 "str %[n], [%[t], 24]" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i),
			   [found] "=&r"(found), [object] "=&r"(*object)
			 : [rseq] "r"(slab_rseq_area()), [cpus] "r"(fast->cpus)
			 : "memory", "cc");
	if (found)
		SLAB_SAY_GOT(*object);
	return found;
}

SLAB_INLINE bool
slab_fast_push(const struct slab_fast *fast, void *object)
{
	uint64_t t, n, i, at;
	uint64_t has_room;

	if (__builtin_expect((uintptr_t)object - fast->base >= fast->bytes, 0))
		return false;
	SLAB_SAY_GIVEN(object);
	__asm__ volatile(SLAB_RSEQ_BEGIN
			 "mov %[room], 0\n\t"
			 "ldr %[t], [%[cpus], %[t]]\n\t"
			 "ldp %[n], %[at], [%[t], 24]\n\t"
			 "and %[i], %[n], 0xffffffff\n\t"
			 "cmp %w[i], %w[at]\n\t"
			 "b.hs 883f\n\t"
			 "adds %[n], %[n], %[push]\n\t"
			 "b.cs 883f\n\t"
			 "add %[at], %[t], %[i], lsl 3\n\t"
			 "str %[object], [%[at], 48]\n\t"
			 "mov %[room], 1\n\t"
			 "str %[n], [%[t], 24]" SLAB_RSEQ_END
			 : [t] "=&r"(t), [n] "=&r"(n), [i] "=&r"(i), [at] "=&r"(at),
			   [room] "=&r"(has_room)
			 : [rseq] "r"(slab_rseq_area()), [cpus] "r"(fast->cpus),
			   [object] "r"(object), [push] "r"(SLAB_FAST_PUSH)
			 : "memory", "cc");
	return has_room;
}

#else

SLAB_INLINE bool slab_fast_pop(const struct slab_fast *fast, void **object)
{
	(void)fast, (void)object;
	return false;
}

SLAB_INLINE bool slab_fast_push(const struct slab_fast *fast, void *object)
{
	(void)fast, (void)object;
	return false;
}

#endif

/* What the inline forms leave to the library. */
SLAB_API void *slab_alloc_slow(struct kmem_cache *s, gfp_t gfp);
SLAB_API void slab_free_slow(struct kmem_cache *s, void *object);

/* A program that must not depend on the numbers above, or that wants every
 * call to be one, defines SLAB_NO_INLINE. */
#if defined(SLAB_HAS_FAST) && !defined(SLAB_NO_INLINE)

SLAB_INLINE void *
kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	const struct slab_fast *fast = (const struct slab_fast *)s;
	void *object;

	if (__builtin_expect(!slab_fast_pop(fast, &object), 0)) {
		object = slab_alloc_slow(s, gfp);
		SLAB_SAY_GOT(object);
		return object;
	}
	if (gfp & __GFP_ZERO)
		__builtin_memset(object, 0, fast->object_size);
	return object;
}

SLAB_INLINE void
kmem_cache_free(struct kmem_cache *s, void *object)
{
	if (__builtin_expect(!slab_fast_push((const struct slab_fast *)s,
					     object),
			     0))
		slab_free_slow(s, object);
}

#endif

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * macros.h: compiler attributes and the few expressions that every file needs.
 */
#ifndef NB_BASE_MACROS_H
#define NB_BASE_MACROS_H

#include <stddef.h>
#include <stdint.h>

#define NB_INLINE         static inline __attribute__((always_inline))
#define NB_NOINLINE       __attribute__((noinline))
#define NB_UNUSED         __attribute__((unused))
#define NB_PRINTF(f, a)   __attribute__((format(printf, f, a)))
#define NB_LIKELY(x)      __builtin_expect(!!(x), 1)
#define NB_UNLIKELY(x)    __builtin_expect(!!(x), 0)
#define NB_MIN(a, b)      ((a) < (b) ? (a) : (b))
#define NB_MAX(a, b)      ((a) > (b) ? (a) : (b))
#define NB_COUNT_OF(a)    (sizeof(a) / sizeof((a)[0]))
#define NB_ALIGN_UP(n, a) (((n) + (a) - 1) & ~((size_t)(a) - 1))

/* A loop that pays from wider registers; the loader picks the clone for the CPU at hand. Sanitizer and
 * fuzzer builds do without (ifunc resolvers run before the sanitizer's own start-up). */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(NB_SANITIZED)
#define NB_SIMD_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define NB_SIMD_CLONES
#endif

typedef __int128 nb_int128;
typedef unsigned __int128 nb_uint128;

#endif

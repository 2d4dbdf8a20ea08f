/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.h: where a short text stands in another: memmem for needles of a few bytes and many haystacks of some dozens.
 */
#ifndef NB_BASE_FIND_H
#define NB_BASE_FIND_H

#include <stddef.h>

/* The first place of the k bytes of needle among the n bytes of s; NULL: none. k 0 is found at once. */
const char *nb_find_bytes(const char *s, size_t n, const char *needle, size_t k);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.h: regular expressions in Java's syntax, run by PCRE2 with its JIT.
 *
 * Java's syntax is rewritten where PCRE2 differs (\uXXXX, \p{Lower}, \p{IsAlphabetic} ...). Compiled patterns are kept for the life of the
 * process in a bounded table, because plans share them and arenas run no destructors; when the table is full, a pattern lives as long as
 * the nb_regex_use that asked for it. Matching is thread-safe: match data belong to the nb_regex_use.
 */
#ifndef NB_EXPR_REGEX_H
#define NB_EXPR_REGEX_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef struct nb_regex nb_regex;

/* One thread's use of patterns during one kernel call. Zero-initialise; end with nb_regex_done. */
typedef struct nb_regex_use {
    const nb_regex *regex;
    nb_str pattern; /* of regex; borrowed from the caller */
    nb_regex *own;  /* when the table was full */
    void *match;    /* pcre2_match_data */
    const size_t
        *ovector; /* of the last match: pairs of byte offsets; SIZE_MAX = group took no part */
    int n_groups; /* of the pattern, without group 0 */
} nb_regex_use;

/* Compiles the pattern (or finds it); the same pattern again costs a comparison. `function` is for the error
 * INVALID_PARAMETER_VALUE.PATTERN. */
nb_status nb_regex_use_pattern(nb_regex_use *use, nb_str pattern, nb_str function, nb_error *err);
/* The first match in s at or after byte `from`. NB_OK: *found says whether. */
nb_status nb_regex_match(nb_regex_use *use, nb_str s, size_t from, bool *found, nb_error *err);
/* Where the next search starts after the last match: behind it, or one character further if it was empty. */
size_t nb_regex_next(const nb_regex_use *use, nb_str s);
/* Number of a named group; -1 when there is none. */
int nb_regex_group(const nb_regex_use *use, nb_str name);
void nb_regex_done(nb_regex_use *use);

#endif

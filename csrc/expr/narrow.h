/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow.h: exact arithmetic in 64 bits where the types say 128.
 *
 * The product of two decimal(15,2) is a decimal(31,4), of which any value may need 128 bits; those of real tables hardly ever do. A program here is the
 * part of some expressions that consists of + - * over decimals; below it are leaves of at most 64 bits, which the caller evaluates. For
 * each batch the ranges of the leaves are looked up and carried through the program. Where every value fits, the loops run over int64 and
 * cannot overflow; where one does not, the caller evaluates the expressions in the ordinary way.
 */
#ifndef NB_EXPR_NARROW_H
#define NB_EXPR_NARROW_H

#include "expr/expr.h"

typedef struct nb_narrow nb_narrow;

typedef struct nb_narrow_value {
    const int64_t *data; /* NULL: the same for all rows */
    int64_t constant;
    uint64_t most; /* no |value| is greater */
} nb_narrow_value;

/* exprs are bound and borrowed. Those that cannot be part of a program are left out. */
nb_status nb_narrow_new(nb_arena *arena, nb_expr *const *exprs, int n, nb_narrow **out);
/* Is expression i part of the program? */
bool nb_narrow_has(const nb_narrow *p, int i);
int nb_narrow_n_leaves(const nb_narrow *p);
nb_expr *nb_narrow_leaf(const nb_narrow *p, int i);
/* leaves: n rows each, FLAT or CONST. values: one per expression, in the arena or in leaves; those of expressions that are left out are not touched.
 * *fits: false when a leaf has nulls or a value may leave 64 bits; then values mean nothing. */
nb_status nb_narrow_run(const nb_narrow *p, const nb_vector *leaves, int64_t n, nb_arena *arena,
                        nb_narrow_value *values, bool *fits);

#endif

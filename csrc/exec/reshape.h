/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reshape.h: vectors of another kind with the same rows, for tests.
 *
 * Most sources give flat vectors, so that kernels would meet dictionaries and constants in few tests only. Under
 * `nbaspark.debug.vectors` every column of every source comes as one or the other, and all answers must stay the same.
 */
#ifndef NB_EXEC_RESHAPE_H
#define NB_EXEC_RESHAPE_H

#include "exec/exec.h"

/* *v, in place; new parts are in the arena. A constant is made of vectors of one row only. */
nb_status nb_vector_reshape(nb_arena *arena, nb_batch_shape shape, nb_vector *v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes64_once_tmpl.h: the loops for one instruction set, and the end of its macros; part of bytes64_tmpl.h.
 */
#include NB_LOOPS
#undef NB_NAME
#undef NB_TARGET
#undef NB_BLOCK
#undef NB_LOAD
#undef NB_EQ
#undef NB_ABOVE
#undef NB_HIGH
#undef NB_PREFIX_XOR
#undef NB_POSITIONS
#undef NB_POSITIONS32

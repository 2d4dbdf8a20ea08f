/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assets.c: the assembler copies the files in; the compiler runs in csrc/, which is where the names start.
 */
#include "monitor/assets.h"

#define NB_ASSET(id, path, file, type)                                               \
    __asm__(".section .rodata\n"                                                     \
            "nb_asset_" #id "_begin:\n.incbin \"monitor/ui/" file "\"\n"             \
            "nb_asset_" #id "_end:\n.byte 0\n.previous\n");                          \
    extern const char nb_asset_##id##_begin[] __attribute__((visibility("hidden"))); \
    extern const char nb_asset_##id##_end[] __attribute__((visibility("hidden")));
#include "monitor/assets.def"
#undef NB_ASSET

static const nb_asset *
table(size_t *n)
{
    static const nb_asset assets[] = {
#define NB_ASSET(id, path, file, type) {path, type, nb_asset_##id##_begin, nb_asset_##id##_end},
#include "monitor/assets.def"
#undef NB_ASSET
    };

    *n = NB_COUNT_OF(assets);
    return assets;
}

const nb_asset *
nb_asset_find(nb_str path)
{
    size_t n;
    const nb_asset *assets = table(&n);

    for (size_t i = 0; i < n; i++) {
        if (nb_str_equal(path, nb_str_of(assets[i].path))) {
            return &assets[i];
        }
    }
    return NULL;
}

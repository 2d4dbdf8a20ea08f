/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_options.c: see write_options.h.
 */
#include "io/parquet/write_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/config.h"
#include "io/parquet/block.h"
#include "io/parquet/meta.h"

static const struct {
    const char *name, *extension;
    int codec;
} CODECS[] = {
    {"none", ".parquet", NB_PQ_UNCOMPRESSED},    {"uncompressed", ".parquet", NB_PQ_UNCOMPRESSED},
    {"snappy", ".snappy.parquet", NB_PQ_SNAPPY}, {"gzip", ".gz.parquet", NB_PQ_GZIP},
    {"zstd", ".zstd.parquet", NB_PQ_ZSTD},       {"brotli", ".br.parquet", NB_PQ_BROTLI},
    {"lz4", ".lz4hadoop.parquet", NB_PQ_LZ4},    {"lz4_raw", ".lz4raw.parquet", NB_PQ_LZ4_RAW},
    {"lz4raw", ".lz4raw.parquet", NB_PQ_LZ4_RAW}};

static nb_str
option(const nb_write_request *r, const char *key)
{
    return nb_option_find(r->options, r->n_options, key);
}

static nb_status
choose_codec(nb_arena *arena, const nb_write_request *r, nb_pq_write_options *o,
             const char **extension, nb_error *err)
{
    nb_str name = option(r, "compression");

    name = name.data ? name : option(r, "parquet.compression");
    if (!name.data) {
        name = r->info && r->info->config
                   ? nb_config_str(r->info->config, NB_CONF_PARQUET_COMPRESSION)
                   : NB_STR("snappy");
    }
    for (size_t i = 0; i < NB_COUNT_OF(CODECS); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(CODECS[i].name))) {
            o->codec = CODECS[i].codec;
            *extension = CODECS[i].extension;
            return NB_OK;
        }
    }
    if (nb_str_equal_nocase(name, NB_STR("lzo"))) {
        return nb_raise_unsupported(err, "Writing Parquet files with lzo");
    }
    return nb_raise(err, NB_COND_CODEC_NOT_AVAILABLE, "codecName", nb_arena_strdup(arena, name),
                    "availableCodecs",
                    "brotli, uncompressed, lzo, snappy, lz4_raw, none, zstd, lz4, gzip", NULL);
}

/* A whole number within bounds; what lies outside is brought to the nearest. */
static nb_status
size_option(const nb_write_request *r, const char *key, int64_t otherwise, int64_t least,
            int64_t most, int64_t *out, nb_error *err)
{
    NB_TRY(nb_option_int(r->options, r->n_options, key, otherwise, out, err));
    *out = NB_MIN(NB_MAX(*out, least), most);
    return NB_OK;
}

static nb_status
choose_level(const nb_write_request *r, nb_pq_write_options *o, nb_error *err)
{
    static const struct {
        int codec;
        const char *key;
    } OWN[] = {{NB_PQ_ZSTD, "parquet.compression.codec.zstd.level"},
               {NB_PQ_BROTLI, "compression.brotli.quality"},
               {NB_PQ_GZIP, "zlib.compress.level"}};
    int64_t level;

    NB_TRY(nb_option_int(r->options, r->n_options, "compressionLevel", NB_PQ_LEVEL_DEFAULT, &level,
                         err));
    for (size_t i = 0; i < NB_COUNT_OF(OWN); i++) {
        if (OWN[i].codec == o->codec && option(r, OWN[i].key).data) {
            NB_TRY(nb_option_int(r->options, r->n_options, OWN[i].key, level, &level, err));
        }
    }
    o->level = (int)level;
    return NB_OK;
}

/* A switch per leaf: "key" for all, "key#a.b" for one. */
static nb_status
leaf_switches(nb_arena *arena, const nb_write_request *r, const nb_pq_out_schema *schema,
              const char *key, bool otherwise, bool **out, nb_error *err)
{
    bool *on = NB_ARENA_ARRAY(arena, bool, schema->n_leaves + 1), all;

    if (!on) {
        return NB_NOMEM;
    }
    NB_TRY(nb_option_bool(r->options, r->n_options, key, otherwise, &all, err));
    for (int i = 0; i < schema->n_leaves; i++) {
        const nb_pq_out_leaf *leaf = &schema->leaves[i];
        nb_strbuf name = {0};
        nb_status st;
        nb_strbuf_addf(&name, "%s#", key);
        for (int k = 0; k < leaf->n_path; k++) {
            nb_strbuf_adds(&name, k ? "." : "");
            nb_strbuf_add(&name, leaf->path[k]);
        }
        st = name.failed ? NB_NOMEM
                         : nb_option_bool(r->options, r->n_options, name.data, all, &on[i], err);
        nb_strbuf_free(&name);
        NB_TRY(st);
    }
    *out = on;
    return NB_OK;
}

nb_status
nb_pq_write_options_read(nb_arena *arena, const nb_write_request *r, const nb_type *data_schema,
                         nb_pq_write_options **out, const char **extension, nb_error *err)
{
    nb_pq_write_options *o = NB_ARENA_NEW(arena, nb_pq_write_options);
    nb_str fpp = option(r, "parquet.bloom.filter.fpp");

    if (!o) {
        return NB_NOMEM;
    }
    o->type = data_schema;
    NB_TRY(nb_pq_out_schema_new(arena, data_schema, &o->schema, err));
    NB_TRY(choose_codec(arena, r, o, extension, err));
    NB_TRY(choose_level(r, o, err));
    NB_TRY(size_option(r, "parquet.block.size", 128 << 20, 1024, INT32_MAX, &o->group_bytes, err));
    NB_TRY(size_option(r, "parquet.page.size", 1 << 20, 64, 1 << 28, &o->page_bytes, err));
    NB_TRY(size_option(r, "parquet.page.row.count.limit", 20000, 1, INT32_MAX, &o->page_rows, err));
    NB_TRY(size_option(r, "parquet.dictionary.page.size", 1 << 20, 0, 1 << 28, &o->dictionary_bytes,
                       err));
    NB_TRY(size_option(r, "parquet.bloom.filter.max.bytes", 1 << 20, 32, 1 << 27,
                       &o->bloom_max_bytes, err));
    o->bloom_fpp = 0.01;
    if (fpp.data) {
        char text[32];
        snprintf(text, sizeof text, "%.*s", (int)NB_MIN(fpp.len, 31), fpp.data);
        o->bloom_fpp = strtod(text, NULL);
        if (!(o->bloom_fpp > 0 && o->bloom_fpp < 1)) {
            return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                            "parquet.bloom.filter.fpp should be between 0 and 1.", NULL);
        }
    }
    NB_TRY(leaf_switches(arena, r, &o->schema, "parquet.enable.dictionary", true, &o->dictionary,
                         err));
    NB_TRY(
        leaf_switches(arena, r, &o->schema, "parquet.bloom.filter.enabled", false, &o->bloom, err));
    *out = o;
    return NB_OK;
}

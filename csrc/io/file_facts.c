/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_facts.c: columns that are in no file: of the partition, of what input_file_name() and its kin tell, and the struct _metadata.
 *
 * All are constants of a split but for row indices. A scan may ask for some fields of _metadata only (nb_relation_narrow): then no others are made.
 */
#include "io/format.h"

/* The fields of _metadata. */
typedef enum fact { PATH, NAME, SIZE, START, LENGTH, MODIFIED, ROW_INDEX, N_FACTS } fact;

static const struct {
    const char *name;
    nb_type_id type;
} FACTS[N_FACTS] = {
    [PATH] = {"file_path", NB_TYPE_STRING},
    [NAME] = {"file_name", NB_TYPE_STRING},
    [SIZE] = {"file_size", NB_TYPE_INT64},
    [START] = {"file_block_start", NB_TYPE_INT64},
    [LENGTH] = {"file_block_length", NB_TYPE_INT64},
    [MODIFIED] = {"file_modification_time", NB_TYPE_TIMESTAMP},
    [ROW_INDEX] = {"row_index", NB_TYPE_INT64},
};

bool
nb_file_fields(bool numbers_rows, nb_field *out)
{
    nb_field facts[N_FACTS];
    int n = N_FACTS - !numbers_rows;

    for (int k = 0; k < n; k++) {
        facts[k] = (nb_field){.name = nb_str_of(FACTS[k].name), .type = nb_type_of(FACTS[k].type)};
    }
    out[NB_FILE_URL] =
        (nb_field){.name = NB_STR("input_file_name()"), .type = nb_type_of(NB_TYPE_STRING)};
    out[NB_FILE_BLOCK_START] =
        (nb_field){.name = NB_STR("input_file_block_start()"), .type = nb_type_of(NB_TYPE_INT64)};
    out[NB_FILE_BLOCK_LENGTH] =
        (nb_field){.name = NB_STR("input_file_block_length()"), .type = nb_type_of(NB_TYPE_INT64)};
    out[NB_FILE_METADATA] =
        (nb_field){.name = NB_STR("_metadata"),
                   .type = nb_type_struct(facts, n),
                   .metadata = NB_STR(
                       "{\"__file_source_metadata_col\":true,\"__metadata_col\":\"_metadata\"}")};
    return out[NB_FILE_METADATA].type != NULL;
}

/* The name within its directory, as the URL writes it. */
static nb_str
url_name(nb_str url)
{
    size_t from = url.len;

    while (from > 0 && url.data[from - 1] != '/') {
        from--;
    }
    return (nb_str){url.data + from, url.len - from};
}

static nb_status
constant(nb_arena *arena, nb_type_id type, nb_str text, int64_t number, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(arena, nb_type_of(type), 1, out));
    if (type == NB_TYPE_STRING) {
        NB_DATA(nb_view, out)[0] = nb_view_make(text.data, text.len);
    } else {
        NB_DATA(int64_t, out)[0] = number;
    }
    out->kind = NB_VEC_CONST;
    return NB_OK;
}

static nb_status
row_indices(nb_arena *arena, int64_t first, const uint32_t *rows, int64_t n, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT64), n, out));
    for (int64_t i = 0; i < n; i++) {
        NB_DATA(int64_t, out)[i] = first + (rows ? rows[i] : i);
    }
    return NB_OK;
}

/* The fields of _metadata that the type has. */
static nb_status
metadata_column(const nb_file_entry *file, const nb_file_split *split, const nb_type *type,
                nb_arena *arena, int64_t n, int64_t first, const uint32_t *rows, nb_vector *out)
{
    nb_str path;
    int64_t numbers[N_FACTS] = {[SIZE] = file->n_bytes,
                                [START] = split->block,
                                [LENGTH] = split->block_bytes,
                                [MODIFIED] = file->modified_ms * 1000};
    size_t authority = NB_STR("file://").len;
    char *text = nb_arena_printf(arena, "file:%.*s", (int)(file->url.len - authority),
                                 file->url.data + authority);

    if (text == NULL) {
        return NB_NOMEM;
    }
    path = nb_str_of(text);
    NB_TRY(nb_vector_alloc(arena, type, n, out));
    for (int i = 0; i < type->n_children; i++) {
        nb_vector one;
        int k = 0;
        while (!nb_str_equal(type->children[i].name, nb_str_of(FACTS[k].name))) {
            k++;
        }
        if (k == ROW_INDEX) {
            NB_TRY(row_indices(arena, first, rows, n, &out->children[i]));
            continue;
        }
        NB_TRY(constant(arena, FACTS[k].type, k == PATH ? path : url_name(file->url), numbers[k],
                        &one));
        one.n_rows = (int32_t)n;
        NB_TRY(nb_vector_flatten(arena, &one, &out->children[i]));
    }
    return NB_OK;
}

nb_status
nb_relation_split_column(const nb_relation *rel, const nb_file_split *split, int column,
                         nb_arena *arena, int64_t n, int64_t first, const uint32_t *rows,
                         nb_vector *out)
{
    const nb_file_entry *file = &rel->files.files[split->file];
    int np = rel->files.n_partition;

    switch (column - np) {
    case NB_FILE_URL: NB_TRY(constant(arena, NB_TYPE_STRING, file->url, 0, out)); break;
    case NB_FILE_BLOCK_START:
        NB_TRY(constant(arena, NB_TYPE_INT64, file->url, split->block, out));
        break;
    case NB_FILE_BLOCK_LENGTH:
        NB_TRY(constant(arena, NB_TYPE_INT64, file->url, split->block_bytes, out));
        break;
    case NB_FILE_METADATA:
        return metadata_column(
            file, split, rel->columns->children[rel->schema->n_children + NB_FILE_METADATA].type,
            arena, n, first, rows, out);
    default: *out = rel->partition_values[split->file * np + column]; break;
    }
    out->n_rows = (int32_t)n;
    return NB_OK;
}

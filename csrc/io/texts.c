/* SPDX-License-Identifier: Apache-2.0 */
/*
 * texts.c: a column of texts as a relation, as if it were a file: spark.read.csv(df), spark.read.json(df).
 *
 * The texts go, a line each, into a file of spark.local.dir that has no name; readers open it again through the descriptor that the relation keeps. So
 * they need neither memory nor a reader of their own, and the file goes with the relation or the process. White space within a JSON text may be any;
 * CSV texts with line breaks in them are read as multiLine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/format.h"

#include "base/config.h"
#include "column/table.h"
#include "io/file.h"

typedef struct texts {
    const nb_table *table;
    bool json, breaks; /* are there line breaks within texts? */
    FILE *out;
} texts;

/* A file without a name, as a stream; its descriptor is above those of the standard streams. */
static nb_status
open_nameless(nb_str dirs, FILE **out, int *fd, nb_error *err)
{
    char path[512];
    int first = nb_file_nameless(dirs, "texts", path, sizeof path);
    nb_status st;

    if (first >= 0) {
        *fd = fcntl(first, F_DUPFD_CLOEXEC, 3);
        *out = fdopen(first, "w");
    }
    if (first >= 0 && *fd >= 0 && *out != NULL) {
        return NB_OK;
    }
    st = nb_raise_errno(err, "create", path, errno);
    if (first >= 0 && *out == NULL) {
        close(first);
    } else if (first >= 0) {
        fclose(*out);
    }
    if (first >= 0 && *fd >= 0) {
        close(*fd);
    }
    return st;
}

static bool
put_text(texts *t, nb_str s)
{
    for (size_t from = 0; from < s.len;) {
        const char *p = s.data + from, *hit = memchr(p, '\n', s.len - from);
        size_t n = hit ? (size_t)(hit - p) : s.len - from;

        t->breaks |= hit != NULL || memchr(p, '\r', n) != NULL;
        if (fwrite(p, 1, n, t->out) != n ||
            (hit != NULL && putc(t->json ? ' ' : '\n', t->out) == EOF)) {
            return false;
        }
        from += n + (hit != NULL);
    }
    return putc('\n', t->out) != EOF;
}

static nb_status
put_all(texts *t, nb_arena *arena, nb_error *err)
{
    for (int c = 0; c < t->table->n_chunks; c++) {
        nb_vector flat;

        NB_TRY(nb_vector_flatten(arena, &t->table->chunks[c]->cols[0], &flat));
        for (int64_t i = 0; i < t->table->chunks[c]->n_rows; i++) {
            /* of a null text Spark makes a JSON record of nulls */
            nb_str s = nb_is_valid(flat.validity, i) ? nb_view_str(&NB_DATA(nb_view, &flat)[i])
                       : t->json                     ? NB_STR("{}")
                                                     : NB_STR("");

            if (!put_text(t, s)) {
                return nb_raise_errno(err, "write", "spark.local.dir", errno);
            }
        }
        nb_arena_reset(arena);
    }
    return NB_OK;
}

nb_status
nb_relation_of_texts(nb_pool *pool, const nb_read_request *request, const nb_table *table,
                     nb_relation **out, nb_error *err)
{
    nb_str dirs = nb_config_str(request->info ? request->info->config : NULL, NB_CONF_LOCAL_DIR);
    texts t = {.table = table, .json = nb_str_equal_nocase(request->format, NB_STR("json"))};
    nb_read_request own = *request;
    nb_arena *arena = nb_arena_new(pool);
    nb_option *options = arena ? NB_ARENA_ARRAY(arena, nb_option, request->n_options + 1) : NULL;
    nb_arena *scratch = options ? nb_arena_new(pool) : NULL;
    nb_str path;
    char text[40];
    int fd = -1;
    nb_status st = scratch ? open_nameless(dirs, &t.out, &fd, err) : NB_NOMEM;

    if (st == NB_OK) {
        st = put_all(&t, scratch, err);
        if (fclose(t.out) != 0 && st == NB_OK) {
            st = nb_raise_errno(err, "write", "spark.local.dir", errno);
        }
    }
    if (st == NB_OK) {
        for (int i = 0; i < request->n_options; i++) {
            options[i] = request->options[i];
        }
        if (t.breaks && !t.json) {
            options[own.n_options++] = (nb_option){NB_STR("multiLine"), NB_STR("true")};
        }
        snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
        path = nb_str_of(text);
        own.options = options;
        own.paths = &path;
        own.n_paths = 1;
        st = nb_relation_open(pool, &own, out, err);
    }
    if (st == NB_OK) {
        (*out)->kept_fd = fd;
    } else if (fd >= 0) {
        close(fd);
    }
    nb_arena_free(scratch);
    nb_arena_free(arena);
    return st;
}

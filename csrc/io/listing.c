/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.c: walking directories for the files of a relation.
 */
#include "io/listing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/allowed.h"
#include "io/file.h"

#define MAX_DEPTH 200

/* A directory with files, and the partition columns that its path tells. */
typedef struct leaf {
    nb_str dir;
    nb_str base;  /* where the columns begin; the directory itself when there are none */
    bool is_root; /* named itself, or the parent of a file that was */
    nb_str_list keys, values;
} leaf;

typedef struct walk {
    nb_arena *arena;
    const nb_list_request *request;
    nb_file_list *out;
    int cap;
    leaf **leaves;
    int n_leaves, cap_leaves;
    leaf **leaf_of; /* each file's */
} walk;

static bool
is_hidden(nb_str name)
{
    if (name.len == 0) {
        return true;
    }
    return name.data[0] == '.' ||
           (name.data[0] == '_' && memchr(name.data, '=', name.len) == NULL) ||
           nb_str_ends_with(name, NB_STR("._COPYING_"));
}

static nb_str
base_name(nb_str path)
{
    size_t i = path.len;

    while (i > 0 && path.data[i - 1] != '/') {
        i--;
    }
    return (nb_str){path.data + i, path.len - i};
}

/* Of a file system that a Spark installation can have. */
static bool
is_known_scheme(const char *scheme)
{
    static const char *const SCHEMES[] = {"abfs", "abfss", "adl",      "dbfs",   "ftp",  "gs",
                                          "har",  "hdfs",  "http",     "https",  "s3",   "s3a",
                                          "s3n",  "sftp",  "swebhdfs", "viewfs", "wasb", "webhdfs"};

    for (size_t i = 0; i < NB_COUNT_OF(SCHEMES); i++) {
        if (strcmp(scheme, SCHEMES[i]) == 0) {
            return true;
        }
    }
    return false;
}

nb_status
nb_path_plain(nb_arena *arena, nb_str path, nb_str *out, nb_error *err)
{
    nb_strbuf b = {0};
    size_t i = 0;
    nb_str text;

    if (path.len == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "Can not create a Path from an empty string", NULL);
    }
    while (i < path.len && path.data[i] != ':' && path.data[i] != '/') {
        i++;
    }
    if (i > 0 && i < path.len && path.data[i] == ':') {
        if (i != 4 || strncmp(path.data, "file", 4) != 0) {
            char *scheme = nb_arena_printf(arena, "%.*s", (int)i, path.data);
            if (scheme && !is_known_scheme(scheme)) {
                return nb_raise(err, NB_COND_NO_FILE_SYSTEM, "scheme", scheme, NULL);
            }
            return nb_raise(err, NB_COND_UNSUPPORTED_FEATURE, "feature",
                            nb_arena_printf(arena, "File system %s", scheme), NULL);
        }
        path = (nb_str){path.data + 5, path.len - 5};
        if (path.len >= 2 && path.data[0] == '/' && path.data[1] == '/') {
            size_t host = 2;
            while (host < path.len && path.data[host] != '/') {
                host++;
            }
            path = (nb_str){path.data + host, path.len - host};
        }
    }
    if (memchr(path.data, '\0', path.len) != NULL) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", "Illegal character in path",
                        NULL);
    }
    if (path.len == 0 || path.data[0] != '/') {
        char cwd[PATH_MAX];
        nb_strbuf_adds(&b, getcwd(cwd, sizeof(cwd)) ? cwd : "");
        nb_strbuf_addc(&b, '/');
    }
    nb_strbuf_add(&b, path);
    if (b.failed) {
        nb_strbuf_free(&b);
        return NB_NOMEM;
    }
    /* "a//b/./c/" -> "a/b/c"; ".." is left to the kernel. */
    size_t n = 0;
    for (size_t k = 0; k < b.len; k++) {
        if (b.data[k] == '/' && n > 0 && b.data[n - 1] == '/') {
            continue;
        }
        if (b.data[k] == '.' && n > 0 && b.data[n - 1] == '/' &&
            (k + 1 == b.len || b.data[k + 1] == '/')) {
            continue;
        }
        b.data[n++] = b.data[k];
    }
    while (n > 1 && b.data[n - 1] == '/') {
        n--;
    }
    text = nb_arena_str(arena, (nb_str){b.data, n});
    nb_strbuf_free(&b);
    if (text.data == NULL) {
        return NB_NOMEM;
    }
    *out = text;
    return nb_allowed_check(text.data, err);
}

nb_str
nb_path_url(nb_arena *arena, nb_str plain)
{
    static const char HEX[] = "0123456789ABCDEF";
    char *text = nb_arena_alloc(arena, plain.len * 3 + 8);
    size_t n = 7;

    if (text == NULL) {
        return (nb_str){NULL, 0};
    }
    memcpy(text, "file://", 7);
    for (size_t i = 0; i < plain.len; i++) {
        unsigned char c = (unsigned char)plain.data[i];
        if (c <= ' ' || c == 0x7F || memchr("%\"<>\\^`{|}[]#?", c, 14) != NULL) {
            text[n++] = '%';
            text[n++] = HEX[c >> 4];
            text[n++] = HEX[c & 15];
        } else {
            text[n++] = (char)c;
        }
    }
    text[n] = '\0';
    return (nb_str){text, n};
}

const char *
nb_path_message(nb_arena *arena, nb_str plain)
{
    char *text = nb_arena_printf(arena, "file:%.*s", (int)plain.len, plain.data);

    return text ? text : "file:";
}

void
nb_partition_escape(nb_strbuf *out, nb_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < ' ' || c == 0x7F || memchr("\"#%'*/:=?\\{[]^", c, 14) != NULL) {
            nb_strbuf_addf(out, "%%%02X", c);
        } else {
            nb_strbuf_addc(out, (char)c);
        }
    }
}

nb_status
nb_partition_unescape(nb_arena *arena, nb_str text, nb_str *out)
{
    char *plain = nb_arena_alloc(arena, text.len + 1);
    size_t n = 0;

    if (plain == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '%' && i + 2 < text.len && nb_hex_digit(text.data[i + 1]) >= 0 &&
            nb_hex_digit(text.data[i + 2]) >= 0) {
            plain[n++] =
                (char)(nb_hex_digit(text.data[i + 1]) * 16 + nb_hex_digit(text.data[i + 2]));
            i += 2;
        } else {
            plain[n++] = text.data[i];
        }
    }
    plain[n] = '\0';
    *out = (nb_str){plain, n};
    return NB_OK;
}

static nb_status
add_file(walk *w, nb_str path, const struct stat *st, leaf *in, nb_error *err)
{
    nb_file_list *out = w->out;
    const nb_list_request *rq = w->request;
    nb_file_entry *f;
    int64_t us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;

    (void)err;
    if (rq->glob_filter.data != NULL && !nb_glob_match(rq->glob_filter, base_name(path))) {
        return NB_OK;
    }
    if (us <= rq->modified_after_us || us >= rq->modified_before_us) {
        return NB_OK;
    }
    if (out->n_files == w->cap) {
        int cap = w->cap ? w->cap * 2 : 16;
        nb_file_entry *files = NB_ARENA_ARRAY(w->arena, nb_file_entry, cap);
        leaf **leaf_of = NB_ARENA_ARRAY(w->arena, leaf *, cap);
        if (files == NULL || leaf_of == NULL) {
            return NB_NOMEM;
        }
        if (out->n_files) {
            memcpy(files, out->files, (size_t)out->n_files * sizeof(*files));
            memcpy(leaf_of, w->leaf_of, (size_t)out->n_files * sizeof(*leaf_of));
        }
        out->files = files;
        w->leaf_of = leaf_of;
        w->cap = cap;
    }
    f = &out->files[out->n_files];
    f->path = path;
    f->url = nb_path_url(w->arena, path);
    f->n_bytes = st->st_size;
    f->modified_ms = us / 1000;
    f->partition = NULL;
    w->leaf_of[out->n_files] = in;
    if (f->url.data == NULL) {
        return NB_NOMEM;
    }
    out->n_files++;
    return NB_OK;
}

static int
compare_names(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

/* "key=value" -> key and value (data NULL when it is the null partition). */
static nb_status
split_partition(nb_arena *arena, nb_str name, bool *is_partition, nb_str *key, nb_str *value)
{
    const char *eq = memchr(name.data, '=', name.len);

    *is_partition = eq != NULL && eq > name.data;
    if (!*is_partition) {
        return NB_OK;
    }
    NB_TRY(nb_partition_unescape(arena, (nb_str){name.data, (size_t)(eq - name.data)}, key));
    NB_TRY(nb_partition_unescape(arena, (nb_str){eq + 1, name.len - (size_t)(eq + 1 - name.data)},
                                 value));
    if (nb_str_equal(*value, NB_STR(NB_NULL_PARTITION))) {
        *value = (nb_str){NULL, 0};
    }
    return NB_OK;
}

static nb_status
list_names(nb_arena *arena, nb_str dir, nb_str_list *names, nb_error *err)
{
    struct dirent *entry;
    nb_status st = NB_OK;
    int failed = 0;
    DIR *d;

    NB_TRY(nb_allowed_check(dir.data, err));
    d = opendir(dir.data);
    if (d == NULL) {
        return errno == EACCES ? nb_raise(err, NB_COND_ACCESS_DENIED, "path", dir.data, NULL)
                               : nb_raise_errno(err, "list", dir.data, errno);
    }
    while (st == NB_OK && (entry = nb_dir_next(d, &failed)) != NULL) {
        nb_str name = nb_arena_str(arena, nb_str_of(entry->d_name));

        st = name.data ? nb_str_list_add(arena, names, name) : NB_NOMEM;
    }
    closedir(d);
    if (failed) {
        return nb_raise_errno(err, "list", dir.data, failed);
    }
    if (st == NB_OK && names->n > 1) {
        qsort(names->items, (size_t)names->n, sizeof(nb_str), compare_names);
    }
    return st;
}

static nb_str
join(nb_arena *arena, nb_str dir, nb_str name)
{
    char *text =
        nb_arena_printf(arena, "%.*s%s%.*s", (int)dir.len, dir.data,
                        dir.len == 1 && dir.data[0] == '/' ? "" : "/", (int)name.len, name.data);

    return text ? nb_str_of(text) : (nb_str){NULL, 0};
}

/* Takes the path of a directory apart, from its end up to base: names of the form key=value are columns; behind the first column a name of
 * another form ends them, before it such names are passed over. */
static nb_status
read_columns(walk *w, leaf *l, nb_str base, nb_error *err)
{
    size_t end = l->dir.len;

    l->base = l->dir;
    while (end > base.len) {
        nb_str name = base_name((nb_str){l->dir.data, end}), key, value;
        bool partition;

        NB_TRY(split_partition(w->arena, name, &partition, &key, &value));
        if (partition && value.data != NULL && value.len == 0) {
            return nb_raise(err, NB_COND_EMPTY_PARTITION_COLUMN_VALUE, "columnSpec",
                            nb_arena_printf(w->arena, "%.*s", (int)name.len, name.data), NULL);
        }
        if (!partition && l->keys.n > 0) {
            break;
        }
        end -= name.len + (end > name.len + 1);
        if (partition) {
            NB_TRY(nb_str_list_add(w->arena, &l->keys, key));
            NB_TRY(nb_str_list_add(w->arena, &l->values, value));
        }
    }
    if (l->keys.n > 0) {
        l->base = (nb_str){l->dir.data, end};
    }
    for (int i = 0, k = l->keys.n - 1; i < k; i++, k--) { /* from the top down */
        nb_str key = l->keys.items[i], value = l->values.items[i];

        l->keys.items[i] = l->keys.items[k];
        l->values.items[i] = l->values.items[k];
        l->keys.items[k] = key;
        l->values.items[k] = value;
    }
    return NB_OK;
}

static nb_status
add_leaf(walk *w, nb_str dir, nb_str base, bool is_root, leaf **out, nb_error *err)
{
    leaf *l = nb_arena_zalloc(w->arena, sizeof *l);

    if (l == NULL) {
        return NB_NOMEM;
    }
    if (w->n_leaves == w->cap_leaves) {
        int cap = w->cap_leaves ? 2 * w->cap_leaves : 16;
        leaf **leaves = NB_ARENA_ARRAY(w->arena, leaf *, cap);
        if (leaves == NULL) {
            return NB_NOMEM;
        }
        if (w->n_leaves) {
            memcpy(leaves, w->leaves, (size_t)w->n_leaves * sizeof(*leaves));
        }
        w->leaves = leaves;
        w->cap_leaves = cap;
    }
    w->leaves[w->n_leaves++] = l;
    l->dir = l->base = dir;
    l->is_root = is_root;
    *out = l;
    return w->request->recursive ? NB_OK : read_columns(w, l, base, err);
}

static nb_status
walk_dir(walk *w, nb_str dir, nb_str base, int depth, nb_error *err)
{
    nb_str_list names = {0};
    leaf *here = NULL;

    if (depth > MAX_DEPTH) {
        return nb_raise_errno(err, "list", dir.data, ELOOP);
    }
    NB_TRY(list_names(w->arena, dir, &names, err));
    for (int pass = 0; pass < 2; pass++) { /* files, then directories */
        for (int i = 0; i < names.n; i++) {
            nb_str path;
            struct stat st;
            if (is_hidden(names.items[i])) {
                continue;
            }
            path = join(w->arena, dir, names.items[i]);
            if (path.data == NULL) {
                return NB_NOMEM;
            }
            if (stat(path.data, &st) != 0) {
                if (errno == ENOENT) { /* gone meanwhile, or a link to nothing */
                    continue;
                }
                return nb_raise_errno(err, "stat", path.data, errno);
            }
            if (S_ISDIR(st.st_mode) != (pass == 1)) {
                continue;
            }
            if (pass == 1) {
                NB_TRY(walk_dir(w, path, base, depth + 1, err));
                continue;
            }
            if (here == NULL) {
                NB_TRY(add_leaf(w, dir, base, depth == 0, &here, err));
            }
            NB_TRY(add_file(w, path, &st, here, err));
        }
    }
    return NB_OK;
}

static nb_status
walk_root(walk *w, nb_str path, nb_error *err)
{
    struct stat st;
    nb_str dir = path, base;
    leaf *parent;

    if (stat(path.data, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) {
            return nb_raise(err, NB_COND_PATH_NOT_FOUND, "path", nb_path_message(w->arena, path),
                            NULL);
        }
        return nb_raise_errno(err, "stat", path.data, errno);
    }
    if (!S_ISDIR(st.st_mode)) {
        dir.len -= base_name(path).len;
        dir.len -= dir.len > 1;
    }
    base = dir;
    if (w->request->base_path.data != NULL) {
        nb_str given;
        NB_TRY(nb_path_plain(w->arena, w->request->base_path, &given, err));
        base = nb_str_starts_with(dir, given) ? given : dir;
    }
    if (S_ISDIR(st.st_mode)) {
        return walk_dir(w, path, base, 0, err);
    }
    if (is_hidden(base_name(path))) {
        return NB_OK;
    }
    NB_TRY(add_leaf(w, dir, base, true, &parent, err));
    return add_file(w, path, &st, parent, err);
}

/* Matches the components of pattern behind `at` below dir; every hit goes to roots. */
static nb_status
glob_walk(nb_arena *arena, nb_str dir, nb_str pattern, size_t at, nb_str_list *roots, nb_error *err)
{
    size_t stop;
    nb_str part, path;
    bool exists, is_dir;

    while (at < pattern.len && pattern.data[at] == '/') {
        at++;
    }
    if (at >= pattern.len) {
        return nb_str_list_add(arena, roots, dir);
    }
    for (stop = at; stop < pattern.len && pattern.data[stop] != '/'; stop++) {
    }
    part = (nb_str){pattern.data + at, stop - at};
    if (!nb_glob_is_pattern(part)) {
        path = join(arena, dir, part);
        if (path.data == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_path_look(path.data, &exists, &is_dir, err));
        return exists ? glob_walk(arena, path, pattern, stop, roots, err) : NB_OK;
    }
    NB_TRY(nb_path_look(dir.data, &exists, &is_dir, err));
    if (is_dir) {
        nb_str_list names = {0};
        NB_TRY(list_names(arena, dir, &names, err));
        for (int i = 0; i < names.n; i++) {
            if (nb_glob_match(part, names.items[i])) {
                path = join(arena, dir, names.items[i]);
                if (path.data == NULL) {
                    return NB_NOMEM;
                }
                NB_TRY(glob_walk(arena, path, pattern, stop, roots, err));
            }
        }
    }
    return NB_OK;
}

/* A group may hold slashes: only a path whose groups are closed is taken apart. */
static nb_status
check_components(nb_str path, nb_error *err)
{
    size_t from = 0;
    int depth = 0;

    for (size_t i = 0; i <= path.len; i++) {
        char c = i < path.len ? path.data[i] : '/';

        if (c == '\\') {
            i++;
        } else if (c == '/' && (depth == 0 || i >= path.len)) {
            NB_TRY(nb_glob_check((nb_str){path.data + from, NB_MIN(i, path.len) - from}, err));
            from = i + 1;
        }
        depth += c == '{' ? 1 : c == '}' && depth > 0 ? -1 : 0;
    }
    return NB_OK;
}

static bool
same_names(const nb_str_list *a, const nb_str_list *b)
{
    bool same = a->n == b->n;

    for (int i = 0; same && i < a->n; i++) {
        same = nb_str_equal_nocase(a->items[i], b->items[i]);
    }
    return same;
}

/* Partitioned tables whose directories disagree about the columns. */
static nb_status
raise_names(walk *w, nb_error *err)
{
    nb_strbuf lists = {0}, dirs = {0};
    nb_status st = NB_NOMEM;
    int n = 0;

    for (int i = 0; i < w->n_leaves; i++) {
        const leaf *l = w->leaves[i];
        bool known = l->keys.n == 0;

        for (int k = 0; k < i && !known; k++) {
            known = same_names(&w->leaves[k]->keys, &l->keys);
        }
        if (!known) {
            nb_strbuf_addf(&lists, "\n\tPartition column name list #%d: ", n++);
            for (int k = 0; k < l->keys.n; k++) {
                nb_strbuf_addf(&lists, "%s%.*s", k ? ", " : "", (int)l->keys.items[k].len,
                               l->keys.items[k].data);
            }
        }
        if (l->keys.n > 0) {
            nb_strbuf_addf(&dirs, "\n\tfile:%.*s", (int)l->dir.len, l->dir.data);
        }
    }
    nb_strbuf_addc(&lists, '\n');
    if (!lists.failed && !dirs.failed) {
        st = nb_raise(err, NB_COND_CONFLICTING_PARTITION_COLUMN_NAMES, "distinctPartColLists",
                      lists.data, "suspiciousPaths", dirs.data, NULL);
    }
    nb_strbuf_free(&lists);
    nb_strbuf_free(&dirs);
    return st;
}

/* Columns of some directories begin elsewhere than those of others. */
static nb_status
raise_bases(walk *w, nb_error *err)
{
    nb_strbuf bases = {0};
    nb_status st = NB_NOMEM;

    for (int i = 0; i < w->n_leaves; i++) {
        bool known = false;

        for (int k = 0; k < i && !known; k++) {
            known = nb_str_equal_nocase(w->leaves[k]->base, w->leaves[i]->base);
        }
        if (!known) {
            nb_strbuf_addf(&bases, "\n\tfile:%.*s", (int)w->leaves[i]->base.len,
                           w->leaves[i]->base.data);
        }
    }
    nb_strbuf_addc(&bases, '\n');
    if (!bases.failed) {
        st = nb_raise(err, NB_COND_CONFLICTING_DIRECTORY_STRUCTURES, "discoveredBasePaths",
                      bases.data, NULL);
    }
    nb_strbuf_free(&bases);
    return st;
}

/* What the directories together say: the partition columns, or none, and which files belong to the table. */
static nb_status
settle(walk *w, nb_error *err)
{
    const leaf *first = NULL;
    nb_file_list *out = w->out;
    int n = 0;

    for (int i = 0; i < w->n_leaves; i++) {
        first = first == NULL && w->leaves[i]->keys.n > 0 ? w->leaves[i] : first;
    }
    for (int i = 0; first != NULL && i < w->n_leaves; i++) {
        if (w->leaves[i]->keys.n > 0 && !same_names(&first->keys, &w->leaves[i]->keys)) {
            return raise_names(w, err);
        }
    }
    for (int i = 0; first != NULL && i < w->n_leaves; i++) {
        if (!nb_str_equal_nocase(first->base, w->leaves[i]->base)) {
            return raise_bases(w, err);
        }
    }
    for (int i = 0; first != NULL && i < first->keys.n; i++) {
        for (int k = 0; k < i; k++) {
            if (nb_str_equal_nocase(first->keys.items[i], first->keys.items[k])) {
                return nb_raise(err, NB_COND_COLUMN_ALREADY_EXISTS, "columnName",
                                nb_arena_printf(w->arena, "`%.*s`", (int)first->keys.items[i].len,
                                                first->keys.items[i].data),
                                NULL);
            }
        }
    }
    for (int i = 0; i < out->n_files; i++) {
        const leaf *l = w->leaf_of[i];

        /* files above the columns, or in plain folders of a table without any, are not read, as in Spark */
        if (first != NULL ? l->keys.n == 0 : !l->is_root && !w->request->recursive) {
            continue;
        }
        out->files[n] = out->files[i];
        out->files[n].partition = first != NULL ? l->values.items : NULL;
        n++;
    }
    out->n_files = n;
    out->partition_names = first != NULL ? first->keys.items : NULL;
    out->n_partition = first != NULL ? first->keys.n : 0;
    return NB_OK;
}

nb_status
nb_list_files(nb_arena *arena, const nb_list_request *request, nb_file_list *out, nb_error *err)
{
    walk w = {.arena = arena, .request = request, .out = out};

    *out = (nb_file_list){0};
    if (request->glob_filter.data != NULL) {
        NB_TRY(nb_glob_check(request->glob_filter, err));
    }
    for (int i = 0; i < request->n_paths; i++) {
        nb_str path;
        nb_str_list roots = {0}, patterns = {0};
        struct stat st;
        NB_TRY(nb_path_plain(arena, request->paths[i], &path, err));
        if (!nb_glob_is_pattern(path) || stat(path.data, &st) == 0) {
            NB_TRY(nb_str_list_add(arena, &roots, path));
        } else {
            NB_TRY(check_components(path, err));
            NB_TRY(nb_glob_expand(arena, path, &patterns));
            for (int k = 0; k < patterns.n; k++) {
                NB_TRY(nb_allowed_check(patterns.items[k].data, err));
                NB_TRY(glob_walk(arena, NB_STR("/"), patterns.items[k], 0, &roots, err));
            }
            if (roots.n == 0) {
                return nb_raise(err, NB_COND_PATH_NOT_FOUND, "path", nb_path_message(arena, path),
                                NULL);
            }
        }
        for (int k = 0; k < roots.n; k++) {
            NB_TRY(nb_allowed_check(roots.items[k].data, err));
            NB_TRY(walk_root(&w, roots.items[k], err));
        }
    }
    return settle(&w, err);
}

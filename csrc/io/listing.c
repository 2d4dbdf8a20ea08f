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

typedef struct walk {
    nb_arena *arena;
    const nb_list_request *request;
    nb_file_list *out;
    int cap;
    nb_str_list names; /* of the partition columns; fixed by the first file */
    bool names_known;
    nb_str_list lists, dirs; /* of partitions: distinct "a, b" of names, directories with files */
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

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
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
        if (text.data[i] == '%' && i + 2 < text.len && hex_digit(text.data[i + 1]) >= 0 &&
            hex_digit(text.data[i + 2]) >= 0) {
            plain[n++] = (char)(hex_digit(text.data[i + 1]) * 16 + hex_digit(text.data[i + 2]));
            i += 2;
        } else {
            plain[n++] = text.data[i];
        }
    }
    plain[n] = '\0';
    *out = (nb_str){plain, n};
    return NB_OK;
}

/* Keeps what raise_conflict tells of a partition's directory. */
static nb_status
note_partition(walk *w, nb_str path, const nb_str *keys, int n_keys)
{
    nb_str dir = {path.data, path.len - base_name(path).len - 1}, list;
    nb_strbuf b = {0};
    bool known = false;

    if (n_keys == 0 || (w->dirs.n > 0 && nb_str_equal(w->dirs.items[w->dirs.n - 1], dir))) {
        return NB_OK;
    }
    for (int i = 0; i < n_keys; i++) {
        nb_strbuf_addf(&b, "%s%.*s", i ? ", " : "", (int)keys[i].len, keys[i].data);
    }
    list = nb_strbuf_finish(w->arena, &b);
    if (list.data == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < w->lists.n; i++) {
        known |= nb_str_equal(w->lists.items[i], list);
    }
    if (!known) {
        NB_TRY(nb_str_list_add(w->arena, &w->lists, list));
    }
    return nb_str_list_add(w->arena, &w->dirs, dir);
}

static nb_status
add_file(walk *w, nb_str path, const struct stat *st, const nb_str *keys, const nb_str *values,
         int n_keys, nb_error *err)
{
    nb_file_list *out = w->out;
    const nb_list_request *rq = w->request;
    nb_file_entry *f;
    int64_t us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;

    if (rq->glob_filter.data != NULL && !nb_glob_match(rq->glob_filter, base_name(path))) {
        return NB_OK;
    }
    if (us <= rq->modified_after_us || us >= rq->modified_before_us) {
        return NB_OK;
    }
    NB_TRY(note_partition(w, path, keys, n_keys));
    if (w->lists.n > 1) {
        return NB_OK; /* the error names all directories, so the walk goes on */
    }
    if (!w->names_known) {
        for (int i = 0; i < n_keys; i++) {
            NB_TRY(nb_str_list_add(w->arena, &w->names, keys[i]));
        }
        w->names_known = true;
    } else if (n_keys != w->names.n) {
        return nb_raise(err, NB_COND_CONFLICTING_DIRECTORY_STRUCTURES, "discoveredBasePaths",
                        nb_path_message(w->arena, path), NULL);
    }
    if (out->n_files == w->cap) {
        int cap = w->cap ? w->cap * 2 : 16;
        nb_file_entry *files = NB_ARENA_ARRAY(w->arena, nb_file_entry, cap);
        if (files == NULL) {
            return NB_NOMEM;
        }
        if (out->n_files) {
            memcpy(files, out->files, (size_t)out->n_files * sizeof(*files));
        }
        out->files = files;
        w->cap = cap;
    }
    f = &out->files[out->n_files];
    f->path = path;
    f->url = nb_path_url(w->arena, path);
    f->n_bytes = st->st_size;
    f->modified_ms = us / 1000;
    f->partition = NULL;
    if (n_keys > 0) {
        f->partition = NB_ARENA_ARRAY(w->arena, nb_str, n_keys);
        if (f->partition == NULL) {
            return NB_NOMEM;
        }
        memcpy(f->partition, values, (size_t)n_keys * sizeof(*values));
    }
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

static nb_status
walk_dir(walk *w, nb_str dir, const nb_str *keys, const nb_str *values, int n_keys, int depth,
         nb_error *err)
{
    nb_str_list names = {0};

    if (depth > MAX_DEPTH) {
        return nb_raise_errno(err, "list", dir.data, ELOOP);
    }
    NB_TRY(list_names(w->arena, dir, &names, err));
    for (int pass = 0; pass < 2; pass++) { /* files, then directories */
        for (int i = 0; i < names.n; i++) {
            nb_str path, key, value;
            struct stat st;
            bool partition = false;
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
            if (pass == 0) {
                NB_TRY(add_file(w, path, &st, keys, values, n_keys, err));
                continue;
            }
            if (w->request->recursive) {
                NB_TRY(walk_dir(w, path, NULL, NULL, 0, depth + 1, err));
                continue;
            }
            NB_TRY(split_partition(w->arena, names.items[i], &partition, &key, &value));
            if (partition) {
                nb_str *more = NB_ARENA_ARRAY(w->arena, nb_str, 2 * (n_keys + 1));
                if (more == NULL) {
                    return NB_NOMEM;
                }
                if (n_keys) {
                    memcpy(more, keys, (size_t)n_keys * sizeof(nb_str));
                    memcpy(more + n_keys + 1, values, (size_t)n_keys * sizeof(nb_str));
                }
                more[n_keys] = key;
                more[2 * n_keys + 1] = value;
                NB_TRY(walk_dir(w, path, more, more + n_keys + 1, n_keys + 1, depth + 1, err));
            }
        }
    }
    return NB_OK;
}

/* The partition columns that lie between basePath and a root that was named itself. */
static nb_status
keys_above(walk *w, nb_str root, bool is_file, nb_str_list *keys, nb_str_list *values,
           nb_error *err)
{
    nb_str base;
    size_t from, end = root.len;

    if (w->request->base_path.data == NULL) {
        return NB_OK;
    }
    NB_TRY(nb_path_plain(w->arena, w->request->base_path, &base, err));
    if (!nb_str_starts_with(root, base)) {
        return NB_OK;
    }
    if (is_file) {
        end -= base_name(root).len;
    }
    for (from = base.len; from < end;) {
        size_t stop;
        bool partition = false;
        nb_str key, value;
        while (from < end && root.data[from] == '/') {
            from++;
        }
        for (stop = from; stop < end && root.data[stop] != '/'; stop++) {
        }
        if (stop > from) {
            NB_TRY(split_partition(w->arena, (nb_str){root.data + from, stop - from}, &partition,
                                   &key, &value));
            if (partition) {
                NB_TRY(nb_str_list_add(w->arena, keys, key));
                NB_TRY(nb_str_list_add(w->arena, values, value));
            }
        }
        from = stop;
    }
    return NB_OK;
}

static nb_status
walk_root(walk *w, nb_str path, nb_error *err)
{
    struct stat st;
    nb_str_list keys = {0}, values = {0};

    if (stat(path.data, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) {
            return nb_raise(err, NB_COND_PATH_NOT_FOUND, "path", nb_path_message(w->arena, path),
                            NULL);
        }
        return nb_raise_errno(err, "stat", path.data, errno);
    }
    NB_TRY(keys_above(w, path, !S_ISDIR(st.st_mode), &keys, &values, err));
    if (S_ISDIR(st.st_mode)) {
        return walk_dir(w, path, keys.items, values.items, keys.n, 0, err);
    }
    if (is_hidden(base_name(path))) {
        return NB_OK;
    }
    return add_file(w, path, &st, keys.items, values.items, keys.n, err);
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

/* Partitioned tables whose directories disagree about the columns. */
static nb_status
raise_conflict(walk *w, nb_error *err)
{
    nb_strbuf lists = {0}, dirs = {0};
    nb_status st = NB_NOMEM;

    for (int i = 0; i < w->lists.n; i++) {
        nb_strbuf_addf(&lists, "\n\tPartition column name list #%d: %.*s", i,
                       (int)w->lists.items[i].len, w->lists.items[i].data);
    }
    nb_strbuf_addc(&lists, '\n');
    for (int i = 0; i < w->dirs.n; i++) {
        nb_strbuf_addf(&dirs, "\n\tfile:%.*s", (int)w->dirs.items[i].len, w->dirs.items[i].data);
    }
    if (!lists.failed && !dirs.failed) {
        st = nb_raise(err, NB_COND_CONFLICTING_PARTITION_COLUMN_NAMES, "distinctPartColLists",
                      lists.data, "suspiciousPaths", dirs.data, NULL);
    }
    nb_strbuf_free(&lists);
    nb_strbuf_free(&dirs);
    return st;
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
    if (w.lists.n > 1) {
        return raise_conflict(&w, err);
    }
    out->partition_names = w.names.items;
    out->n_partition = w.names.n;
    return NB_OK;
}

/* ---- types of partition columns ---------------------------------------------------------------------------------------------- */

static bool
is_int_text(nb_str s)
{
    size_t i = s.len > 1 && (s.data[0] == '-' || s.data[0] == '+');

    for (; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }
    return s.len > 0;
}

static bool
is_date_text(nb_str s)
{
    if (s.len != 10) {
        return false;
    }
    for (size_t i = 0; i < 10; i++) {
        if (i == 4 || i == 7 ? s.data[i] != '-' : s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }
    int month = (s.data[5] - '0') * 10 + s.data[6] - '0',
        day = (s.data[8] - '0') * 10 + s.data[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool
is_double_text(nb_str s)
{
    bool digit = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] >= '0' && s.data[i] <= '9') {
            digit = true;
        } else if (memchr("+-.eE", s.data[i], 5) == NULL) {
            return false;
        }
    }
    if (digit) {
        char text[64], *end;
        if (s.len < sizeof(text)) {
            memcpy(text, s.data, s.len);
            text[s.len] = '\0';
            (void)strtod(text, &end);
            return *end == '\0';
        }
    }
    return false;
}

const nb_type *
nb_partition_infer(const nb_file_list *list, int i)
{
    enum { NONE, INT, LONG, DOUBLE, DATE, STRING } kind = NONE;
    static const nb_type_id IDS[] = {NB_TYPE_STRING,  NB_TYPE_INT32, NB_TYPE_INT64,
                                     NB_TYPE_FLOAT64, NB_TYPE_DATE,  NB_TYPE_STRING};

    for (int f = 0; f < list->n_files; f++) {
        nb_str v = list->files[f].partition[i];
        int64_t number;
        int k;
        if (v.data == NULL) {
            continue;
        }
        if (is_int_text(v) && nb_str_to_int64(v, &number)) {
            k = number >= INT32_MIN && number <= INT32_MAX ? INT : LONG;
        } else {
            k = is_double_text(v) ? DOUBLE : is_date_text(v) ? DATE : STRING;
        }
        if (kind == NONE || (int)kind == k) {
            kind = k;
        } else if (kind == DATE || k == DATE || k == STRING || kind == STRING) {
            kind = STRING;
        } else {
            kind = NB_MAX((int)kind, k);
        }
    }
    return nb_type_of(IDS[kind]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_log.c: see event_log.h.
 *
 * Not fsync'ed: a log need not survive the machine, and a disk that is slow must not slow queries. A write that fails is reported
 * once; the log stays ".inprogress" then, because it is not whole.
 */
#include "monitor/event_log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/ascii.h"
#include "base/log.h"
#include "base/pool.h"
#include "io/file.h"
#include "monitor/log_codec.h"

#define LEAST_FILE   ((int64_t)10 << 20)
#define BUFFER_BYTES ((size_t)64 * 1024) /* text that is held back between flushes */

struct nb_event_log {
    nb_pool *pool;
    nb_log_encoder *encoder;
    nb_strbuf text;            /* since the last flush */
    nb_strbuf packed;          /* what goes to the file */
    nb_strbuf path, temporary; /* what is renamed at the end: to, from */
    int fd;
    bool broken;
    /* rolling */
    nb_log_codec codec;
    nb_str name; /* of the application, in path */
    size_t folder_len;
    nb_strbuf file; /* the events file under way */
    int64_t number; /* of that; 0: the log does not roll */
    int64_t n_text, most_text;
};

bool
nb_event_log_path(nb_str uri, nb_str *path)
{
    nb_str scheme = NB_STR("file:");

    if (nb_str_starts_with(uri, scheme)) {
        uri.data += scheme.len;
        uri.len -= scheme.len;
        while (uri.len > 1 && uri.data[1] == '/') {
            uri.data++;
            uri.len--;
        }
    } else {
        const char *colon = memchr(uri.data, ':', uri.len), *slash = memchr(uri.data, '/', uri.len);

        if (colon && (!slash || colon < slash)) {
            return false;
        }
    }
    *path = uri;
    return uri.len > 0;
}

/* As Spark: " ", "/" and ":" become "-", other signs that file systems or shells mind "_", letters small. */
static void
add_file_name(nb_strbuf *out, nb_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];

        c = c == ' ' || c == '/' || c == ':'                  ? '-'
            : (unsigned char)c < 0x20 || strchr(".${}'\"", c) ? '_'
                                                              : nb_to_lower(c);
        nb_strbuf_addc(out, c);
    }
}

static void
log_free(nb_event_log *log)
{
    nb_pool *pool;

    if (log == NULL) {
        return;
    }
    pool = log->pool;
    if (log->fd >= 0) {
        close(log->fd);
    }
    nb_log_encoder_free(log->encoder);
    nb_strbuf_free(&log->text);
    nb_strbuf_free(&log->packed);
    nb_strbuf_free(&log->path);
    nb_strbuf_free(&log->temporary);
    nb_strbuf_free(&log->file);
    nb_pool_dealloc(pool, log, sizeof(*log));
    nb_pool_free(pool);
}

static nb_status
cannot_create(nb_str dir, nb_error *err)
{
    int code = errno;
    nb_strbuf folder = {0};
    nb_status st;

    nb_strbuf_add(&folder, dir);
    st = nb_raise_errno(err, "create the event log in", folder.data ? folder.data : "", code);
    nb_strbuf_free(&folder);
    return st;
}

static int
create(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0660);
}

static nb_status
open_file(nb_event_log *log, nb_str dir, bool overwrite, nb_error *err)
{
    nb_strbuf_adds(&log->path, nb_log_codec_extension(log->codec));
    nb_strbuf_addf(&log->temporary, "%s.inprogress", log->path.data ? log->path.data : "");
    if (log->path.failed || log->temporary.failed) {
        return NB_NOMEM;
    }
    if (!overwrite && (nb_path_exists(log->path.data) || nb_path_exists(log->temporary.data))) {
        return nb_raise_errno(err, "create", log->path.data, EEXIST);
    }
    log->fd = create(log->temporary.data);
    return log->fd < 0 ? cannot_create(dir, err) : NB_OK;
}

/* ---- logs that roll -------------------------------------------------------------------------- */

/* The next file of the folder is the one under way. */
static bool
open_next(nb_event_log *log)
{
    log->file.len = 0;
    nb_strbuf_addf(&log->file, "%.*s/events_%lld_%.*s%s", (int)log->folder_len, log->path.data,
                   (long long)++log->number, (int)log->name.len, log->name.data,
                   nb_log_codec_extension(log->codec));
    log->n_text = 0;
    log->fd = log->file.failed ? -1 : create(log->file.data);
    return log->fd >= 0;
}

/* Takes away what an earlier log of this name has left in its folder: files of a log, and no others. */
static void
clear_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, "events_", 7) == 0 ||
            strncmp(entry->d_name, "appstatus_", 10) == 0) {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

/* log->path is <dir>/<application>. */
static nb_status
open_folder(nb_event_log *log, nb_str dir, bool overwrite, nb_error *err)
{
    nb_strbuf name = {0};
    int status = -1;

    nb_strbuf_adds(&name, log->path.data ? log->path.data + dir.len + 1 : "");
    log->path.len = 0;
    nb_strbuf_addf(&log->path, "%.*s/eventlog_v2_%s", (int)dir.len, dir.data,
                   name.data ? name.data : "");
    log->folder_len = log->path.len;
    if (name.failed || log->path.failed) {
        nb_strbuf_free(&name);
        return NB_NOMEM;
    }
    if (mkdir(log->path.data, 0770) != 0 && (errno != EEXIST || !overwrite)) {
        nb_strbuf_free(&name);
        return errno == EEXIST ? nb_raise_errno(err, "create", log->path.data, EEXIST)
                               : cannot_create(dir, err);
    }
    clear_folder(log->path.data);
    nb_strbuf_addf(&log->path, "/appstatus_%s", name.data);
    nb_strbuf_addf(&log->temporary, "%s.inprogress", log->path.data ? log->path.data : "");
    nb_strbuf_free(&name);
    if (log->path.failed || log->temporary.failed) {
        return NB_NOMEM;
    }
    log->name = nb_strbuf_str(&log->path);
    log->name.data += log->folder_len + sizeof("/appstatus_") - 1;
    log->name.len -= log->folder_len + sizeof("/appstatus_") - 1;
    status = create(log->temporary.data);
    if (status < 0 || !open_next(log)) {
        nb_status st = cannot_create(dir, err);

        if (status >= 0) {
            close(status);
        }
        return st;
    }
    close(status);
    return NB_OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* As in Spark. */
static nb_status
check_size(int64_t bytes, nb_error *err)
{
    char value[32];

    snprintf(value, sizeof(value), "%lld", (long long)bytes);
    return bytes >= LEAST_FILE
               ? NB_OK
               : nb_raise(err, NB_COND_INVALID_CONF_VALUE_REQUIREMENT, "confName",
                          "spark.eventLog.rolling.maxFileSize", "confValue", value,
                          "confRequirement",
                          "Max file size of event log should be configured to be at least 10 MiB.",
                          NULL);
}

nb_status
nb_event_log_open(const nb_config *config, nb_str app_id, nb_event_log **out, nb_error *err)
{
    nb_str uri = nb_config_str(config, NB_CONF_EVENT_LOG_DIR), dir;
    nb_log_codec codec = NB_LOG_PLAIN;
    bool rolling = nb_config_bool(config, NB_CONF_EVENT_LOG_ROLLING);
    bool overwrite = nb_config_bool(config, NB_CONF_EVENT_LOG_OVERWRITE);
    nb_pool *pool;
    nb_event_log *log;
    nb_status st;

    NB_TRY(check_size(nb_config_int(config, NB_CONF_EVENT_LOG_MAX_FILE), err));
    if (nb_config_bool(config, NB_CONF_EVENT_LOG_COMPRESS)) {
        codec = nb_log_codec_of_option(nb_config_str(config, NB_CONF_EVENT_LOG_CODEC));
        if (codec == NB_LOG_SNAPPY || codec == NB_LOG_UNKNOWN) {
            return nb_raise_unsupported(err, "event logs compressed otherwise than zstd or lz4");
        }
    }
    if (!nb_event_log_path(uri, &dir)) {
        return nb_raise_unsupported(err, "spark.eventLog.dir on anything but a local file system");
    }
    pool = nb_pool_new(NULL, "event log", 0);
    log = pool ? nb_pool_zalloc(pool, sizeof(*log)) : NULL;
    if (log == NULL) {
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    log->pool = pool;
    log->fd = -1;
    log->codec = codec;
    log->most_text = nb_config_int(config, NB_CONF_EVENT_LOG_MAX_FILE);
    log->encoder = nb_log_encoder_new(codec);
    nb_strbuf_addf(&log->path, "%.*s/", (int)dir.len, dir.data);
    add_file_name(&log->path, app_id);
    st = log->encoder == NULL ? NB_NOMEM
         : rolling            ? open_folder(log, dir, overwrite, err)
                              : open_file(log, dir, overwrite, err);
    if (st < 0) {
        log_free(log);
        return st;
    }
    *out = log;
    return NB_OK;
}

static bool
write_all(nb_event_log *log, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t w = write(log->fd, data, n);

        if (w < 0 && errno == EINTR) {
            continue;
        }
        if (w <= 0) {
            nb_log(NB_LOG_ERROR, "EventLog", "%s: write: %s; no more events are logged",
                   log->number > 0 ? log->file.data : log->temporary.data, strerror(errno));
            return false;
        }
        data += w;
        n -= (size_t)w;
    }
    return true;
}

static void
put(nb_event_log *log, bool flush, bool finish)
{
    log->packed.len = 0;
    if (!nb_log_encode(log->encoder, nb_strbuf_str(&log->text), flush, finish, &log->packed) ||
        log->text.failed || !write_all(log, log->packed.data, log->packed.len)) {
        log->broken = true;
    }
    log->text.len = 0;
}

/* Ends the file under way and begins the next one. */
static void
roll(nb_event_log *log)
{
    put(log, true, true);
    if (log->broken) {
        return;
    }
    close(log->fd);
    log->fd = -1;
    nb_log_encoder_free(log->encoder);
    log->encoder = nb_log_encoder_new(log->codec);
    if (log->encoder == NULL || !open_next(log)) {
        nb_log(NB_LOG_ERROR, "EventLog", "%s: %s; no more events are logged",
               log->file.data ? log->file.data : "", strerror(errno));
        log->broken = true;
    }
}

void
nb_event_log_add(nb_event_log *log, nb_str line, bool flush)
{
    if (!log->broken && log->number > 0 && log->n_text > 0 &&
        log->n_text + (int64_t)line.len > log->most_text) {
        roll(log);
    }
    if (log->broken) {
        return;
    }
    log->n_text += (int64_t)line.len;
    nb_strbuf_add(&log->text, line);
    if (flush || log->text.len >= BUFFER_BYTES) {
        put(log, flush, false);
    }
}

void
nb_event_log_close(nb_event_log *log)
{
    if (log == NULL) {
        return;
    }
    if (!log->broken) {
        put(log, true, true);
    }
    if (!log->broken && rename(log->temporary.data, log->path.data) != 0) {
        nb_log(NB_LOG_ERROR, "EventLog", "%s: rename: %s", log->temporary.data, strerror(errno));
    }
    log_free(log);
}

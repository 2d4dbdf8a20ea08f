/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c: formats a line and writes it with one call, so that lines of several threads do not mix.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/utf8.h"

static const char *const NAMES[] = {"ALL",  "TRACE", "DEBUG", "INFO",
                                    "WARN", "ERROR", "FATAL", "OFF"};
static int threshold = NB_LOG_WARN; /* atomic */
static bool as_json;                /* set before threads start */

void
nb_log_set_level(nb_log_level level)
{
    __atomic_store_n(&threshold, (int)level, __ATOMIC_RELAXED);
}

bool
nb_log_enabled(nb_log_level level)
{
    return (int)level >= __atomic_load_n(&threshold, __ATOMIC_RELAXED);
}

bool
nb_log_level_parse(nb_str name, nb_log_level *out)
{
    for (size_t i = 0; i < NB_COUNT_OF(NAMES); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(NAMES[i]))) {
            *out = (nb_log_level)i;
            return true;
        }
    }
    return false;
}

void
nb_log_set_json(bool on)
{
    as_json = on;
}

/* Adds text between quotes; what is no text becomes '?', also a character that was cut in the middle. */
static size_t
add_json_text(char *line, size_t len, size_t cap, const char *text)
{
    size_t left = strlen(text), width;

    for (; left > 0 && len + 8 < cap; text += width, left -= width) {
        uint32_t c = nb_utf8_decode(text, left, &width);

        if (c == '"' || c == '\\') {
            line[len++] = '\\';
            line[len++] = (char)c;
        } else if (c == '\n') {
            line[len++] = '\\';
            line[len++] = 'n';
        } else if (c < ' ' || c == 0x7f || (c > 0x7f && width == 1)) {
            line[len++] = '?';
        } else {
            memcpy(line + len, text, width);
            len += width;
        }
    }
    return len;
}

static void
log_json(nb_log_level level, const char *where, const char *text)
{
    char line[4096];
    struct timespec now;
    struct tm tm;
    size_t len;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    len = strftime(line, sizeof(line), "{\"ts\":\"%Y-%m-%dT%H:%M:%S", &tm);
    len +=
        (size_t)snprintf(line + len, sizeof(line) - len, ".%03dZ\",\"level\":\"%s\",\"logger\":\"",
                         (int)(now.tv_nsec / 1000000), NAMES[level]);
    len = add_json_text(line, len, sizeof(line) - 64, where);
    len += (size_t)snprintf(line + len, sizeof(line) - len, "\",\"message\":\"");
    len = add_json_text(line, len, sizeof(line) - 8, text);
    memcpy(line + len, "\"}\n", 3);
    if (write(STDERR_FILENO, line, len + 3) < 0) {
        return;
    }
}

void
nb_log(nb_log_level level, const char *where, const char *fmt, ...)
{
    char line[2048];
    size_t len;
    int n;
    struct tm tm;
    time_t now;
    va_list ap;

    if (!nb_log_enabled(level) || level == NB_LOG_OFF) {
        return;
    }
    if (as_json) {
        va_start(ap, fmt);
        n = vsnprintf(line, sizeof(line), fmt, ap);
        va_end(ap);
        if (n >= 0) {
            log_json(level, where, line);
        }
        return;
    }
    now = time(NULL);
    localtime_r(&now, &tm);
    len = strftime(line, sizeof(line), "%y/%m/%d %H:%M:%S ", &tm);
    n = snprintf(line + len, sizeof(line) - len, "%s %.80s: ", NAMES[level], where);
    len += n > 0 ? (size_t)n : 0;
    va_start(ap, fmt);
    n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
    va_end(ap);
    len = n < 0 ? len : NB_MIN(len + (size_t)n, sizeof(line) - 2);
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, len) < 0) {
        return; /* nobody listens: nothing to do about it */
    }
}

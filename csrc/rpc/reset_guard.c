/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reset_guard.c: ends connections that open calls only to reset them (HTTP/2 rapid reset, CVE-2023-44487).
 *
 * gRPC core 1.51 counts only the streams that are open, so a peer that resets each at once can make a server work, and hold memory, without
 * bound. Here resets are counted per connection; one that makes too many within a few seconds has its socket shut down. gRPC's interface
 * does not name the socket, so it is looked for among this process's: by its peer, on a duplicate, which cannot become another
 * connection's in between.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "rpc/server_internal.h"

#define MAX_RESETS 200
#define WINDOW_NS  ((int64_t)5 * 1000000000)

/* "ipv4:127.0.0.1:4711" or "ipv6:[::1]:4711" (also with %5B, %5D), as gRPC writes a peer. */
static bool
is_peer(int fd, const char *peer)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char text[INET6_ADDRSTRLEN], all[128];

    if (getpeername(fd, (struct sockaddr *)&a, &len) < 0) {
        return false;
    }
    if (a.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
        snprintf(all, sizeof all, "ipv4:%s:%d", text, ntohs(v4->sin_port));
        return strcmp(all, peer) == 0;
    }
    if (a.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof text);
            snprintf(all, sizeof all, "ipv4:%s:%d", text, ntohs(v6->sin6_port));
            return strcmp(all, peer) == 0;
        }
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
        snprintf(all, sizeof all, "ipv6:%%5B%s%%5D:%d", text, ntohs(v6->sin6_port));
        if (strcmp(all, peer) == 0) {
            return true;
        }
        snprintf(all, sizeof all, "ipv6:[%s]:%d", text, ntohs(v6->sin6_port));
        return strcmp(all, peer) == 0;
    }
    return false;
}

static void
shut_down(const char *peer)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name), copy;
        if (entry->d_name[0] == '.' || !is_peer(fd, peer)) {
            continue;
        }
        copy = dup(fd);
        if (copy >= 0 && is_peer(copy, peer)) {
            shutdown(copy, SHUT_RDWR);
        }
        if (copy >= 0) {
            close(copy);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/* Connections that share a slot push each other out: only the busy ones stay. */
void
nb_rpc_count_reset(nb_rpc_server *server, const char *peer)
{
    uint64_t hash = nb_hash_bytes(peer, strlen(peer));
    nb_rpc_resets *r = &server->resets[hash % NB_RPC_RESET_SLOTS];
    int64_t now = nb_clock_mono_ns();
    bool enough;

    pthread_mutex_lock(&server->lock);
    if (r->peer != hash || now - r->since_ns > WINDOW_NS) {
        *r = (nb_rpc_resets){hash, now, 0};
    }
    enough = ++r->n % MAX_RESETS == 0;
    pthread_mutex_unlock(&server->lock);
    if (enough) {
        nb_log(NB_LOG_WARN, "rpc", "%s resets its calls as it makes them: disconnected", peer);
        shut_down(peer);
    }
}

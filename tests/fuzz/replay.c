/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: runs a fuzzer once over each file named on the command line, without libFuzzer. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0;
    size_t capacity = 0;

    if (file == NULL) {
        perror(path);
        return 1;
    }
    for (;;) {
        if (size == capacity) {
            capacity = capacity > 0 ? 2 * capacity : 65536;
            data = realloc(data, capacity);
            if (data == NULL) {
                abort();
            }
        }
        size_t n = fread(data + size, 1, capacity - size, file);
        if (n == 0) {
            break;
        }
        size += n;
    }
    fclose(file);
    /* An exact copy, so that AddressSanitizer sees a read one byte too far. */
    uint8_t *exact = realloc(data, size > 0 ? size : 1);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int
main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        failed |= replay_file(argv[i]);
    }
    return failed;
}

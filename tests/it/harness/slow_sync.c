/* Preloaded into a server: while the file SLOW_SYNC exists, no sync of a file returns, as on a disk that hangs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void hang(void) {
    const char *slow = getenv("SLOW_SYNC");
    while (slow && access(slow, F_OK) == 0) usleep(10000);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file) {
    hang();
    return REAL(fsync)(file);
}

int fdatasync(int file) {
    hang();
    return REAL(fdatasync)(file);
}

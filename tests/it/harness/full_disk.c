/* Preloaded into a server: while the file FULL_DISK exists, no file grows, as on a disk without room. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int grows(int file, off64_t end) {
    struct stat64 found;
    const char *full = getenv("FULL_DISK");
    return full && access(full, F_OK) == 0 && fstat64(file, &found) == 0 && end > found.st_size;
}

#define REFUSE(file, end, result) if (grows(file, end)) { errno = ENOSPC; return result; }
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    REFUSE(file, at + count, -1)
    return REAL(pwrite)(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    REFUSE(file, at + count, -1)
    return REAL(pwrite64)(file, bytes, count, at);
}

static off64_t end_of(const struct iovec *parts, int count, off64_t at) {
    for (int part = 0; part < count; part++) at += parts[part].iov_len;
    return at;
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
    REFUSE(file, end_of(parts, count, at), -1)
    return REAL(pwritev)(file, parts, count, at);
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
    REFUSE(file, end_of(parts, count, at), -1)
    return REAL(pwritev64)(file, parts, count, at);
}

int posix_fallocate(int file, off_t at, off_t count) {
    if (grows(file, at + count)) return ENOSPC;
    return REAL(posix_fallocate)(file, at, count);
}

int posix_fallocate64(int file, off64_t at, off64_t count) {
    if (grows(file, at + count)) return ENOSPC;
    return REAL(posix_fallocate64)(file, at, count);
}

// A disk that fails or is slow, as a program sees it: this library is preloaded and wraps the calls that read. `chaos` marks the
// affected files by symbolic links in the directory that BATON_FAILING_DISK names. A link is named DEVICE-INODE after the file. Its
// target is "error", or how long each read takes and until when: "200 until 123456", both in milliseconds, the latter on the
// monotonic clock, since the time of day may jump here. The files themselves are not touched: even another mode would change their
// ctime, and Baton would rightly report that they were written.
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *marks;

// Once, before there are threads: reading the environment while another thread changes it is not safe.
__attribute__((constructor)) static void find_marks(void) { marks = getenv("BATON_FAILING_DISK"); }

// Whether the read may go on; -1 with errno set if it fails.
static int before_read(int descriptor, size_t count) {
    int kept = errno;
    struct stat status;
    char name[4096], mark[64];
    ssize_t length = -1;
    // A read of 0 bytes does not reach the disk.
    if (marks && count > 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
        snprintf(name, sizeof name, "%s/%ju-%ju", marks, (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
        length = readlink(name, mark, sizeof mark - 1);
    }
    errno = kept;
    if (length < 0) return 0;
    mark[length] = 0;
    if (strcmp(mark, "error") == 0) {
        errno = EIO;
        return -1;
    }
    long delay, until;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (sscanf(mark, "%ld until %ld", &delay, &until) == 2 && now.tv_sec * 1000 + now.tv_nsec / 1000000 < until)
        nanosleep(&(struct timespec){.tv_sec = delay / 1000, .tv_nsec = delay % 1000 * 1000000}, NULL);
    errno = kept;
    return 0;
}

// libcurl calls read; the others are wrapped so that a change in Baton or in libcurl cannot disable the fault unnoticed. They make
// the system call directly: a library may read before this one is ready, when no other function could be looked up.
ssize_t read(int descriptor, void *bytes, size_t count) {
    return before_read(descriptor, count) < 0 ? -1 : syscall(SYS_read, descriptor, bytes, count);
}

ssize_t pread64(int descriptor, void *bytes, size_t count, off64_t offset) {
    return before_read(descriptor, count) < 0 ? -1 : syscall(SYS_pread64, descriptor, bytes, count, offset);
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) { return pread64(descriptor, bytes, count, offset); }

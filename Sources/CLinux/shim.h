// The C boundary to Linux: system calls and constants that Swift's Glibc module does not have, nothing else.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// openat2(2), which has no wrapper in glibc. Opens `path` below `directory` for reading. Symbolic links and `..` can't lead
/// out of the directory, and opening a FIFO or a device does not block.
static inline int baton_open_beneath(int directory, const char *path) {
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

/// renameat2(2), which Swift's Glibc module does not have. Renames a file; fails with EEXIST if the new name exists.
static inline int baton_rename_new(const char *from, const char *to) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

/// epoll_ctl(2) with the event built in C: Swift imports `epoll_data_t` as a union of limited use.
static inline int baton_epoll_set(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events};
    event.data.fd = descriptor;
    return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline int baton_epoll_descriptor(const struct epoll_event *event) { return event->data.fd; }
static inline uint32_t baton_epoll_events(const struct epoll_event *event) { return event->events; }

/// Names the calling thread, at most 15 bytes, for ps and perf.
static inline void baton_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Lowers the priority of the calling thread alone, so that other threads get the processor first. On Linux, setpriority(2)
/// applies to a single thread.
static inline void baton_step_back(void) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10); }

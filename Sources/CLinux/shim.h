// The C boundary to Linux: system calls and constants that Swift's Glibc module does not carry, nothing else.
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

/// openat2(2) has no wrapper in glibc. Opens `path` below `directory` for reading: no link leads out of it, no FIFO or device
/// blocks or acts on being opened.
static inline int baton_open_beneath(int directory, const char *path) {
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

/// renameat2(2), which Swift's Glibc module does not carry: gives a file another name unless that one is taken (EEXIST).
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

/// Lowers the priority of the calling thread alone (setpriority(2) counts by thread on Linux): it gets the processor when others
/// leave it.
static inline void baton_step_back(void) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10); }

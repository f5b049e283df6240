// Makes the disk fail when it is waited for, as long as there is a file of a certain name: for the
// tests in `fsync.rs`, which load this before the C library.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int wait_for(long call, int file) {
    const char *trigger = getenv("REDENGINE_LOG_TEST_NO_SYNC");
    if (trigger && access(trigger, F_OK) == 0) {
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(call, file);
}

int fsync(int file) { return wait_for(SYS_fsync, file); }
int fdatasync(int file) { return wait_for(SYS_fdatasync, file); }

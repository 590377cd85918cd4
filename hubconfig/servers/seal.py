"""The seal: the filter of system calls (seccomp) under which users' servers run, from their first process on.

Docker puts it on the container itself, so there is nothing before it, no program in the image or in a home
that it depends on, and nobody beside it in the container to trace (ptrace) who could do more. It takes the
place of Docker's own filter, which differs from version to version: what is not listed here is refused,
also calls that Linux does not have yet. Debuggers work, as every process that they can reach is sealed, too.

Beyond what Docker usually refuses, it refuses

- leaving the project by which a home's limit is kept: Linux lets a file's owner do that (FS_IOC_FSSETXATTR,
  FS_IOC_SETFLAGS, file_setattr);
- io_uring and sockets to the machine below a virtual one (AF_VSOCK), large and hardly ever needed.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

FS_IOC_FSSETXATTR: Final = 0x401C5820
FS_IOC_SETFLAGS: Final = 0x40086602
FS_IOC32_SETFLAGS: Final = 0x40046602
"""FS_IOC_SETFLAGS as programs of 32 bits call it."""

_AF_VSOCK = 40

_NEW_NAMESPACES = 0x7E020000
"""The flags CLONE_NEW* of clone."""

_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
"""Linux's own, those that `setarch` gives, and the question which it is."""

_ALLOWED = """
_llseek _newselect accept accept4 access adjtimex alarm arch_prctl arm_fadvise64_64 arm_sync_file_range
bind brk cacheflush cachestat capget capset chdir chmod chown chown32 clock_getres clock_getres_time64
clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect
copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2
epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64
fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr
flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate
ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list
get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32
getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid
gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit
ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown
lchown32 lgetxattr link linkat listen listxattr listxattrat llistxattr lremovexattr lseek lsetxattr
lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod
mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open
mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl
msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat nice open
openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll
ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv
process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readdir
readlink readlinkat readv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr
removexattrat rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
semtimedop semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area
set_tid_address set_tls setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32
setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget
shutdown sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend
socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range
sync_file_range2 syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64
timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat
utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
"""
"""Calls that need no right and reach nothing beyond the container."""


def profile() -> str:
    """The seal as Docker takes it, in `security_opt` after `seccomp=`."""
    rules = [
        _allow(_ALLOWED.split()),
        _allow(["clone"], _when(0, "SCMP_CMP_MASKED_EQ", _NEW_NAMESPACES, 0)),
        # Its flags are out of a filter's sight; with this answer C libraries fall back to clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
        *(_allow(["personality"], _when(0, "SCMP_CMP_EQ", each)) for each in _PERSONALITIES),
        *_allow_but("socket", 0, [_AF_VSOCK]),
        *_allow_but("ioctl", 1, [FS_IOC_FSSETXATTR, FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS]),
    ]
    # Nobody has programs of the third kind that x86-64 knows, x32: not named, they are ended.
    architectures = [
        {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]},
    ]
    whole = {"defaultAction": "SCMP_ACT_ERRNO", "archMap": architectures, "syscalls": rules}
    return json.dumps(whole, separators=(",", ":"))


def others(refused: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Masks and values that together match every number of 32 bits but some: `number & mask == value`.

    Linux looks at the low half of these arguments only, so a filter that compared all of them would be
    passed by. And a rule cannot refuse what another allows, so all others are allowed, by their first bits.
    """
    kept = set(refused)
    starts = {0}
    for bit in reversed(range(32)):
        mask = (0xFFFFFFFF >> bit) << bit
        found = {each & mask for each in kept}
        for start in sorted(starts):
            yield from ((mask, way) for way in (start, start | 1 << bit) if way not in found)
        starts = found


def _allow_but(name: str, argument: int, refused: Iterable[int]) -> list[dict[str, Any]]:
    masked = "SCMP_CMP_MASKED_EQ"
    return [_allow([name], _when(argument, masked, mask, value)) for mask, value in others(refused)]


def _allow(names: Iterable[str], *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"names": list(names), "action": "SCMP_ACT_ALLOW", "args": list(conditions)}


def _when(argument: int, comparison: str, value: int, value_two: int = 0) -> dict[str, Any]:
    return {"index": argument, "value": value, "valueTwo": value_two, "op": comparison}

"""The locks of the jail, one function each: capabilities, Landlock, seccomp, namespaces, resource limits, through ctypes.

Imports only the standard library, because it runs in the jail's first process before JAX is there (threads that exist
before Landlock would stay outside it). Each `lock_*` raises OSError where the system does not grant the layer; the caller
goes on without it and says so. Numbers are those of Linux's user-space headers (linux/landlock.h, linux/seccomp.h,
asm/unistd.h).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

# name -> (x86_64, aarch64); -1 where the machine does not have the call.
SYSCALLS: dict[str, tuple[int, int]] = {
    "read": (0, 63), "write": (1, 64), "open": (2, -1), "close": (3, 57), "stat": (4, -1), "fstat": (5, 80),
    "lstat": (6, -1), "poll": (7, -1), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215),
    "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "ioctl": (16, 29), "pread64": (17, 67), "readv": (19, 65), "writev": (20, 66), "access": (21, -1),
    "sched_yield": (24, 124), "mremap": (25, 216), "mincore": (27, 232), "madvise": (28, 233), "dup": (32, 23),
    "nanosleep": (35, 101), "getpid": (39, 172), "socket": (41, 198), "clone": (56, 220), "fork": (57, -1),
    "vfork": (58, -1), "execve": (59, 221), "exit": (60, 93), "uname": (63, 160), "fcntl": (72, 25),
    "getcwd": (79, 17), "readlink": (89, -1), "gettimeofday": (96, 169), "getrlimit": (97, 163),
    "getrusage": (98, 165), "sysinfo": (99, 179), "times": (100, 153), "ptrace": (101, 117), "getuid": (102, 174),
    "getgid": (104, 176), "geteuid": (107, 175), "getegid": (108, 177), "getppid": (110, 173), "capget": (125, 90),
    "capset": (126, 91), "sigaltstack": (131, 132), "personality": (135, 92), "arch_prctl": (158, -1),
    "mount": (165, 40), "init_module": (175, 105), "gettid": (186, 178), "futex": (202, 98),
    "sched_setaffinity": (203, 122), "sched_getaffinity": (204, 123), "getdents64": (217, 61),
    "restart_syscall": (219, 128), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "exit_group": (231, 94), "epoll_wait": (232, -1), "epoll_ctl": (233, 21),
    "tgkill": (234, 131), "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "openat": (257, 56), "newfstatat": (262, 79), "readlinkat": (267, 78),
    "faccessat": (269, 48), "unshare": (272, 97), "set_robust_list": (273, 99), "epoll_pwait": (281, 22),
    "eventfd2": (290, 19), "epoll_create1": (291, 20), "pipe2": (293, 59), "prlimit64": (302, 261),
    "perf_event_open": (298, 241), "setns": (308, 268), "getcpu": (309, 168), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "finit_module": (313, 273), "sched_getattr": (315, 275), "seccomp": (317, 277),
    "getrandom": (318, 278), "bpf": (321, 280), "execveat": (322, 281), "userfaultfd": (323, 282),
    "membarrier": (324, 283), "statx": (332, 291), "rseq": (334, 293), "pidfd_open": (434, 434),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "clone3": (435, 435),
    "openat2": (437, 437), "pidfd_getfd": (438, 438), "faccessat2": (439, 439), "mseal": (462, 462),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446),
    "get_mempolicy": (239, 236), "sched_getscheduler": (145, 120), "sched_getparam": (143, 121), "prctl": (157, 167),
    "pivot_root": (155, 41), "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429),
    "mount_setattr": (442, 442), "set_tid_address": (218, 96), "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137),
}  # fmt: skip

# What JAX's compiler and Python need once everything is loaded and every thread exists. All else fails with EPERM: thus what would
# tell of the machine beside the jail (sysinfo, times, uname) or of another process (sched_getscheduler).
ALLOWED: tuple[str, ...] = (
    "read", "write", "close", "fstat", "poll", "lseek", "mmap", "mprotect", "munmap", "brk",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "pread64", "readv", "writev", "sched_yield", "mremap",
    "mincore", "madvise", "nanosleep", "getpid", "exit", "getcwd", "gettimeofday", "getrlimit",
    "getrusage", "getuid", "getgid", "geteuid", "getegid", "getppid", "sigaltstack", "arch_prctl",
    "gettid", "futex", "getdents64", "restart_syscall",
    "exit_group", "epoll_wait", "epoll_ctl",
    "set_robust_list", "epoll_pwait", "eventfd2", "epoll_create1", "getcpu", "getrandom", "membarrier",
    "rseq", "get_mempolicy", "set_tid_address", "mseal",
)  # fmt: skip
# Calls that answer on any path, as whether it exists: only where the mount namespace shows no path but Python's own.
NAMING: tuple[str, ...] = (
    "stat", "lstat", "access", "readlink", "newfstatat", "readlinkat", "faccessat", "faccessat2", "statx",
)  # fmt: skip
# No library calls these by accident: whoever does is killed at once.
FATAL: tuple[str, ...] = (
    "ptrace", "process_vm_readv", "process_vm_writev", "bpf", "userfaultfd", "perf_event_open", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "mount", "kexec_load", "init_module",
    "finit_module", "setns", "unshare", "pidfd_getfd",
)  # fmt: skip


def machine() -> int:
    """Return the column of SYSCALLS for this machine.

    Raises:
        OSError: neither x86_64 nor aarch64.
    """
    name = platform.machine()
    if name in ("x86_64", "AMD64"):
        return 0
    if name in ("aarch64", "arm64"):
        return 1
    raise OSError(errno.ENOSYS, f"no system-call table for {name}")


def number(name: str) -> int:
    """Return the number of a system call on this machine (-1 if it has none)."""
    return SYSCALLS[name][machine()]


def syscall(name: str, *arguments: object) -> int:
    """Make a raw system call.

    Raises:
        OSError: it failed.
    """
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(LIBC.syscall(ctypes.c_long(number(name)), *converted))
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def prctl(option: int, *arguments: int) -> int:
    """Call prctl.

    Raises:
        OSError: it failed.
    """
    padded = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)][:4]
    result = int(LIBC.prctl(ctypes.c_int(option), *padded))
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces in flags (os.unshare exists only from Python 3.12 on).

    Raises:
        OSError: not granted.
    """
    if LIBC.unshare(ctypes.c_int(flags)) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def enter_user_namespace() -> None:
    """Enter a fresh user namespace in which the caller keeps its ids and has no capability outside.

    Raises:
        OSError: not granted.
    """
    uid, gid = os.getuid(), os.getgid()
    unshare(CLONE_NEWUSER)
    for path, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        fd = os.open(f"/proc/self/{path}", os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def lock_capabilities() -> None:
    """Give up every capability, for good.

    Raises:
        OSError: not granted.
    """
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # unknown capability, or no right to drop it: without no_new_privs' exec path it is moot
            break
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    syscall("capset", header, ctypes.create_string_buffer(24))


def capabilities() -> int:
    """Return the effective and permitted capabilities of this thread, as bits."""
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
    data = ctypes.create_string_buffer(24)
    syscall("capget", header, data)
    words = struct.unpack("=6I", data.raw[:24])
    return words[0] | words[1] | words[3] | words[4]


def landlock_abi() -> int:
    """Return the kernel's Landlock version, 0 if it has none."""
    try:
        return syscall("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def lock_files(readable: Iterable[str]) -> int:
    """Restrict this thread and all that it starts by Landlock: it reads beneath `readable` and does nothing else.

    Args:
        readable: files and folders.

    Returns:
        The Landlock version used.

    Raises:
        OSError: the kernel has no Landlock, or refuses it.
    """
    abi = landlock_abi()
    if abi < 1:
        raise OSError(errno.ENOSYS, "the kernel has no Landlock")
    bits = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)
    words = [(1 << bits) - 1]
    if abi >= 4:
        words.append(0b11)  # TCP bind and connect
    if abi >= 6:
        words.append(0b11)  # abstract sockets and signals out of the domain
    attribute = ctypes.create_string_buffer(struct.pack(f"={len(words)}Q", *words))
    ruleset = syscall("landlock_create_ruleset", attribute, 8 * len(words), 0)
    read_file, read_dir = 1 << 2, 1 << 3
    try:
        for path in readable:
            try:
                fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            try:
                access = read_file | read_dir if os.path.isdir(path) else read_file  # noqa: PTH112 - pathlib is not loaded yet
                rule = ctypes.create_string_buffer(struct.pack("=Qi", access, fd))
                syscall("landlock_add_rule", ruleset, 1, rule, 0)
            finally:
                os.close(fd)
        syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


# --- seccomp: classic BPF over struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6]} ---
_LOAD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_ARCH = (0xC000003E, 0xC00000B7)


def _argument(index: int, high: bool = False) -> int:
    return 16 + 8 * index + (4 if high else 0)


def seccomp_program(pid: int, may_name: bool) -> bytes:
    """Return the BPF program.

    Args:
        pid: the only process that may be signalled (its own, so that abort works).
        may_name: whether paths may be looked at and opened for reading (the mount namespace then says which); else no file can be
            opened at all, nor asked after.
    """
    column = machine()
    code: list[tuple[int, int, int, int]] = []

    def nr(name: str) -> int:
        return SYSCALLS[name][column]

    def block(name: str, body: list[tuple[int, int, int, int]]) -> None:
        if nr(name) >= 0:
            code.append((_JEQ, 0, len(body), nr(name)))
            code.extend(body)

    refuse = (_RET, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RET, 0, 0, _ALLOW)
    code.append((_LOAD, 0, 0, 4))
    code.append((_JEQ, 1, 0, _ARCH[column]))
    code.append((_RET, 0, 0, _KILL))
    code.append((_LOAD, 0, 0, 0))
    if column == 0:  # the x32 calls are a second door to the same kernel
        code.append((_JGE, 0, 1, 0x40000000))
        code.append((_RET, 0, 0, _KILL))
    for name in FATAL:
        block(name, [(_RET, 0, 0, _KILL)])
    for name in ("clone3", "openat2"):  # their arguments lie in memory, out of the filter's sight; callers fall back
        block(name, [(_RET, 0, 0, _ERRNO | errno.ENOSYS)])
    # No process and no thread: `workbench.warm_up` has started all that the compiler uses. (fork and vfork are not in ALLOWED.)
    block("clone", [refuse])
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000  # __O_TMPFILE
    denied = (_RET, 0, 0, _ERRNO | errno.EACCES)
    for name, where in (("openat", 2), ("open", 1)):
        block(name, [(_LOAD, 0, 0, _argument(where)), (_JSET, 0, 1, writing), denied, allow] if may_name else [denied])
    for name in NAMING:
        block(name, [allow] if may_name else [denied])
    # Negative clocks are the processor time of other processes, and tell which exist; a thread's own are below 16.
    for name in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        block(name, [(_LOAD, 0, 0, _argument(0)), (_JGE, 0, 1, 16), refuse, allow])
    # Of oneself only (0), because it tells which processes exist.
    block("sched_getaffinity", [(_LOAD, 0, 0, _argument(0)), (_JEQ, 0, 1, 0), allow, refuse])
    # A thread may only signal its own process: glibc's abort needs it.
    block("tgkill", [(_LOAD, 0, 0, _argument(0)), (_JEQ, 0, 1, pid), allow, refuse])
    # Limits may be read, not set: the third argument (the new limit) must be null, and the process oneself.
    block(
        "prlimit64",
        [
            (_LOAD, 0, 0, _argument(2)),
            (_JEQ, 0, 5, 0),
            (_LOAD, 0, 0, _argument(2, high=True)),
            (_JEQ, 0, 3, 0),
            (_LOAD, 0, 0, _argument(0)),
            (_JEQ, 0, 1, 0),
            allow,
            refuse,
        ],
    )
    # Naming a thread is all of prctl that the compiler wants (15); 38 and 39 set and read no_new_privs.
    block(
        "prctl",
        [(_LOAD, 0, 0, _argument(0)), (_JEQ, 2, 0, 15), (_JEQ, 1, 0, PR_GET_NO_NEW_PRIVS), refuse, allow],
    )
    # isatty and the like: "not a terminal" is the true answer.
    block("ioctl", [(_RET, 0, 0, _ERRNO | errno.ENOTTY)])
    # Close-on-exec and status flags (F_DUPFD 0 to F_SETFL 4, F_DUPFD_CLOEXEC 1030); no locks, leases or signals to others.
    block("fcntl", [(_LOAD, 0, 0, _argument(1)), (_JEQ, 2, 0, 1030), (_JGE, 0, 1, 5), refuse, allow])
    for name in ALLOWED:
        block(name, [allow])
    code.append(refuse)
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def lock_calls(may_name: bool) -> None:
    """Install the seccomp filter on every thread of the process.

    Raises:
        OSError: not granted.
    """
    text = seccomp_program(os.getpid(), may_name)
    buffer = ctypes.create_string_buffer(text, len(text))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(text) // 8, ctypes.addressof(buffer)))
    # SECCOMP_SET_MODE_FILTER with TSYNC: the compiler's threads exist already and must be caught too.
    failed = syscall("seccomp", 1, 1, program)
    if failed:
        raise OSError(errno.ESRCH, f"thread {failed} did not take the filter")


def lock_resources(memory_bytes: int, cpu_s: int) -> None:
    """Set the process limits: address space, CPU time, no file growth, few descriptors, no core, no thread or process more.

    Raises:
        OSError: a limit was not granted.
    """
    wanted = {
        resource.RLIMIT_AS: memory_bytes,
        # Soft and hard are equal: the first process of a pid namespace ignores SIGXCPU, but not the hard limit's SIGKILL.
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,  # the kernel does not hold root to it
    }
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (value, value))
        except ValueError as error:
            raise OSError(errno.EINVAL, str(error)) from None

"""The jail holds on its own: texts that skip the static check and break out of Python's restrictions meet the operating system's."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.sandbox_programs import honest

from movlr_jax.rewards.motion import Motion
from movlr_jax.sandbox import jail, wire
from movlr_jax.sandbox.inspect import inspect_module
from movlr_jax.sandbox.jail import GUARDS, Jail, JailError, unguarded
from movlr_jax.sandbox.locks import number
from movlr_jax.sandbox.operations import Refused

# How a real attacker leaves a namespace without builtins: through the classes that object knows.
ESCAPE = """
W = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close'][0]
sys = W.__init__.__globals__['sys']
os, B, ctypes, jax = (sys.modules[n] for n in ('os', 'builtins', 'ctypes', 'jax'))
libc = ctypes.CDLL(None, use_errno=True)
WEIGHTS = {"a": 1.0}

def act(f, *a):
    f(*a)

def terms(m):
"""
MARK = "/tmp/movlr_was_here"  # what a text would leave behind


def escaped(*lines: str) -> str:
    return ESCAPE + "".join(f"    {line}\n" for line in lines) + '    return {"a": m.head.height}\n'


def children() -> set[int]:
    """Processes whose parent is this one, and theirs."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found, waiting = set(), {os.getpid()}
    while waiting:
        waiting = {p for p, parent in parents.items() if parent in waiting} - found
        found |= waiting
    return found


def descriptors() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left():
    before = children(), descriptors()
    yield
    assert children() <= before[0]
    assert {d for d in descriptors() - before[1] if "pipe:" in d or "socket:" in d} == set()
    assert not list(Path("/tmp").glob("movlr_was_here*"))


@pytest.fixture(scope="module")
def jails():
    """Hand out light jails, one always warming up ahead."""
    waiting = [Jail()]

    def take() -> Jail:
        waiting.append(Jail())
        return waiting.pop(0)

    yield take
    for left in waiting:
        left.close()


def ask(one: Jail, source: str, layout, deadline_s: float = 30.0) -> jail.Answer:
    with one:
        return one.ask(source, layout, deadline_s)


def test_every_layer_is_told():
    layers = jail.probe()
    assert {"seccomp", "landlock", "pid namespace", "network namespace", "resource limits", "deadline"} <= set(layers)
    assert all(state == "active" or state.startswith("not granted: ") for state in layers.values())
    assert jail.unguarded(layers) == []


ACTS = {
    "read a file": "B.open('/etc/passwd').read()",
    "read the prover's memory": "B.open('/proc/' + str(os.getppid() or 1) + '/mem', 'rb').read(1)",
    "write a file": f"B.open('{MARK}', 'w').write('x')",
    "write beside the package": "B.open(sys.modules['movlr_jax'].__file__, 'a').write('x')",
    "make a folder": f"os.mkdir('{MARK}_folder')",
    "make a link": f"os.symlink('/etc', '{MARK}_link')",
    "make a pipe on disk": f"os.mkfifo('{MARK}_fifo')",
    "delete a file": "os.unlink('/etc/hostname')",
    "truncate a file": "os.truncate('/etc/hostname', 0)",
    "change a mode": "os.chmod('/tmp', 0)",
    "list processes": "os.listdir('/proc')",
    "list the home folder": "os.listdir('/root')",
    "list the tree": "os.listdir('/')",
    "fork": "os.fork()",
    "run a program": "os.execv('/bin/sh', ['sh', '-c', 'true'])",
    "spawn a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "kill the prover": "os.kill(PARENT, 15)",
    "kill everyone": "os.kill(-1, 15)",
    "stop its own deadline": "os.setsid()",
    "raise its limits": "sys.modules['resource'].setrlimit(0, (-1, -1))",
    "become root": "os.setuid(0) if os.getuid() else os.setgroups([0])",
    "leave its folder": "os.chroot('/tmp')",
    "open a terminal": "os.openpty()",
}
CALLS = {
    "open a TCP socket": "libc.socket(2, 1, 0)",
    "open a UNIX socket": "libc.socket(1, 1, 0)",
    "open a raw socket": "libc.socket(17, 3, 0)",
    "make a socket pair": "libc.socketpair(1, 1, 0, (ctypes.c_int * 2)())",
    "make a memory file": "libc.memfd_create(b'x', 0)",
    "share memory": "libc.shmget(0, 4096, 0o1600)",
    "open a message queue": "libc.mq_open(b'/x', 64, 0o600, None)",
    "clone a process": "libc.syscall(56, 17, 0, 0, 0, 0)",
    "open by handle": "libc.syscall(304, -1, 0, 0)",
    "mount through a new door": "libc.syscall(430, 0, 0)",
    "open through a new door": "libc.syscall(437, -100, b'/etc/passwd', 0, 0)",
    "signal by descriptor": "libc.syscall(434, 1, 0)",
    "a 32-bit style limit": "libc.prlimit64(0, 9, (ctypes.c_long * 2)(-1, -1), None)",
    "undo its locks": "libc.prctl(22, 0, 0, 0, 0)",
    "follow a file": "libc.inotify_init()",
    "start a watchdog": "libc.timer_create(0, None, ctypes.byref(ctypes.c_long()))",
    "clone a thread": "libc.syscall(CLONE, 0x10f00, 0, 0, 0, 0)",  # VM, FS, FILES, SIGHAND, THREAD
    "clone a thread through a new door": "libc.syscall(435, ctypes.byref((ctypes.c_long * 11)(0x10f00)), 88)",
    "learn the machine's load and memory": "libc.sysinfo(ctypes.create_string_buffer(256))",
    "learn the machine's name": "libc.uname(ctypes.create_string_buffer(512))",
    "learn when the machine started": "libc.syscall(TIMES, 0)",
    "learn another's processor time": "libc.syscall(CLOCK, (~PARENT << 3) | 2, ctypes.create_string_buffer(16))",
    "learn another's processors": "libc.sched_getaffinity(PARENT, 128, ctypes.create_string_buffer(128))",
    "learn another's scheduler": "libc.sched_getscheduler(PARENT)",
    "learn another's group": "libc.getpgid(PARENT)",
    "learn another's session": "libc.getsid(PARENT)",
    "learn another's priority": "libc.getpriority(0, PARENT)",
    "learn whether another lives": "libc.kill(PARENT, 0)",
    "set a mode": "libc.chmod(b'/tmp', 0)",
    "set a mode by descriptor": "libc.fchmod(1, 0o666)",
    "set a time": "libc.utimensat(-100, PACKAGE, None, 0)",
    "set an attribute": "libc.setxattr(PACKAGE, b'user.movlr', b'x', 1, 0)",
}


def test_forbidden_acts_are_refused_by_name(jails, layout):
    """One jail tries them all and tells which succeeded, and how each was refused."""
    lines = ["told = []", "names = dict(__builtins__=B, B=B, os=os, sys=sys, libc=libc, ctypes=ctypes, PARENT=PARENT)"]
    lines += ["names.update(CLONE=CLONE, TIMES=TIMES, CLOCK=CLOCK, PACKAGE=sys.modules['movlr_jax'].__file__.encode())"]
    for code in ACTS.values():
        lines += ["try:", f"    act(B.eval, {code!r}, names)", "    told.append('!')"]
        lines += ["except B.OSError as e:", "    told.append('r')", "except B.ValueError as e:", "    told.append('v')"]
    for code in CALLS.values():
        lines += [f"told.append('!' if B.eval({code!r}, names) != -1 else 'r')"]
        lines += ["if ctypes.get_errno() not in (1, 13, 38):", "    told[-1] = '?'"]
    lines += ["told.append(B.str(len(os.environ)))", "raise B.ValueError(''.join(told))"]
    numbers = f"PARENT, CLONE = {os.getpid()}, {number('clone')}\nTIMES, CLOCK = {number('times')}, {number('clock_gettime')}\n"
    text = escaped(*lines).replace("WEIGHTS =", numbers + "WEIGHTS =")
    answer = ask(jails(), text, layout)
    assert not answer.ok and answer.line is not None
    assert answer.reason.startswith("terms(m) fails: ValueError: "), answer.reason
    told = answer.reason.split("ValueError: ", 1)[1].rstrip(".")
    outcome = dict(zip([*ACTS, *CALLS, "environment"], told, strict=True))
    wrong = {name: how for name, how in outcome.items() if how not in ("r", "v" if name == "raise its limits" else "r", "0")}
    assert not wrong, wrong
    assert outcome["environment"] == "0"
    assert Path("/etc/hostname").exists()


def test_a_fatal_call_is_named(jails, layout):
    answer = ask(jails(), escaped("libc.ptrace(0, 0, 0, 0)"), layout)
    assert not answer.ok and "killed by seccomp for a forbidden system call" in answer.reason


def test_an_endless_loop_meets_the_deadline(jails, layout):
    one = jails()
    one.ready()
    started = time.monotonic()
    answer = ask(one, "WEIGHTS = {'a': 1.0}\ndef terms(m):\n    while True:\n        pass\n", layout, 1.0)
    assert not answer.ok and "deadline of 1 s" in answer.reason
    assert time.monotonic() - started < 4.0


def test_an_endless_loop_inside_jax_meets_the_deadline(jails, layout):
    # Run while the text is traced: what is only exported is refused for its loop before it is compiled.
    loop = "jax.lax.while_loop(lambda x: x < jax.numpy.inf, lambda x: x * 0.5, 1.0)"
    answer = ask(jails(), escaped("now = jax.ensure_compile_time_eval()", "now.__enter__()", loop), layout, 3.0)
    assert not answer.ok and "deadline of 3 s" in answer.reason


def test_a_memory_bomb_is_named(jails, layout):
    answer = ask(jails(), escaped("x = B.bytearray(6 << 30)"), layout)
    assert not answer.ok and "more memory than the jail grants" in answer.reason


def test_a_memory_bomb_inside_jax_is_named(jails, layout):
    source = 'WEIGHTS = {"a": 1.0}\nX = jnp.ones(2000000000) * 2\ndef terms(m):\n    return {"a": jnp.sum(X) * m.time}\n'
    answer = ask(jails(), source, layout)
    assert not answer.ok and "memory" in answer.reason, answer.reason


def test_a_crash_is_named(jails, layout):
    answer = ask(jails(), escaped("ctypes.string_at(0)"), layout)
    assert not answer.ok and "it crashed" in answer.reason


def test_deep_recursion_is_refused(jails, layout):
    answer = ask(jails(), 'WEIGHTS = {"a": 1.0}\ndef terms(m):\n    return terms(m)\n', layout)
    assert not answer.ok and "RecursionError" in answer.reason and answer.line == 3


def test_a_taken_over_jail_sends_a_loop(jails, layout):
    """The text writes an answer of its own; it arrives, and the inspection refuses it."""
    module = b'"builtin.module"() ({\n  "stablehlo.while"() : () -> ()\n}) : () -> ()\n'
    forged = wire.pack({"ok": True, "names": ["a"]}, module)
    answer = ask(jails(), escaped(f"os.write(3, {forged!r})", "os._exit(0)"), layout)
    assert answer.ok and answer.module == module
    with pytest.raises(Refused, match="not as exported"):
        inspect_module(answer.module, 2 * layout.size, 1)


def test_a_taken_over_jail_announces_too_much(jails, layout):
    forged = wire.PREFIX.pack(wire.MAGIC, 0xFFFFFFFF, 0xFFFFFFFF)
    answer = ask(jails(), escaped(f"os.write(3, {forged!r})", "while True: pass"), layout)
    assert not answer.ok and "more than is ever read" in answer.reason


@pytest.mark.parametrize(
    ("skip", "still"),
    [(("landlock",), "landlock"), (("seccomp",), "seccomp"), (("namespaces", "landlock"), "pid namespace")],
)
def test_it_holds_without_a_layer(layout, skip, still):
    with Jail(skip=skip) as one:
        layers = one.ready()
        assert layers[still].startswith("not granted: ")
        answer = one.ask(escaped("try:", f"    B.open('{MARK}', 'w')", "except B.OSError: pass", "B.open('/etc/passwd')"), layout, 30)
    assert not answer.ok and ("No such file" if layers["mount namespace"] == "active" else "Permission") in answer.reason


# What a taken-over text tries against each of the GUARDS; "!" in the answer: it worked.
TRIALS = {
    "files": (
        "B.open('/etc/passwd').close()",
        f"B.open('{MARK}', 'w').close()",
        "os.chmod(PACKAGE, 0o644)",
        "os.chmod('/', 0o755)",
        "os.chmod('/dev/null', 0o666)",
        "os.fchmod(1, 0o666)",
        "os.fchmod(2, 0o666)",
        "os.utime(PACKAGE)",
        "os.setxattr(PACKAGE, 'user.movlr', b'x')",
        "os.chown(PACKAGE, -1, -1)",
        "os.stat('/etc/passwd')",
        "os.lstat('/proc/self')",
        "os.stat('/proc/' + B.str(PARENT))",
        "os.readlink('/proc/self/exe')",
        "os.access('/var', 4) or act(os.stat, '')",
        "os.listdir('/var')",
        "os.statvfs('/var')",
    ),
    "network": (
        "sys.modules['_socket'].socket(2, 1).connect(('127.0.0.1', PORT))",
        "sys.modules['_socket'].socket(1, 1).connect('\\0movlr-test')",
        "sys.modules['_socket'].socket(1, 1).connect(PATH)",
    ),
    "processes": ("os.kill(PARENT, 0)", "os.getpgid(PARENT)", "os.sched_getaffinity(PARENT)"),
    "shared memory": ("libc.shmget(KEY, 0, 0) != -1 or act(os.stat, '')",),
}
COMBINATIONS = [
    (),
    ("landlock",),
    ("mount namespace",),
    ("landlock", "mount namespace"),
    ("namespaces",),
    ("landlock", "namespaces"),
    ("seccomp",),
    ("seccomp", "landlock"),
    ("seccomp", "mount namespace"),
    ("seccomp", "landlock", "mount namespace"),
    ("seccomp", "namespaces"),
    ("seccomp", "landlock", "namespaces"),
]


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    """What the trials look for, each really there: listening sockets of three kinds, shared memory, this process."""
    libc = ctypes.CDLL(None)
    key = 0x6D6F0000 + os.getpid() % 0xFFFF
    segment = libc.shmget(key, 4096, 0o1666)
    assert segment != -1
    path = str(tmp_path_factory.mktemp("s") / "socket")
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
        tcp.bind(("127.0.0.1", 0))
        abstract.bind("\0movlr-test")
        named.bind(path)
        for one in (tcp, abstract, named):
            one.listen()
        yield f"PARENT, PORT, PATH, KEY = {os.getpid()}, {tcp.getsockname()[1]}, {path!r}, {key}\n"
    libc.shmctl(segment, 0, None)


def _trials(targets: str) -> str:
    lines = [
        "told = []",
        "names = dict(__builtins__=B, B=B, os=os, sys=sys, libc=libc, act=act, PARENT=PARENT, PORT=PORT, PATH=PATH, KEY=KEY)",
    ]
    lines += ["names['PACKAGE'] = sys.modules['movlr_jax'].__file__"]
    for code in (code for codes in TRIALS.values() for code in codes):
        lines += ["try:", f"    B.eval({code!r}, names)", "    told.append('!')", "except B.OSError:", "    told.append('r')"]
    lines += ["raise B.ValueError(''.join(told))"]
    return escaped(*lines).replace("WEIGHTS =", targets + "WEIGHTS =")


@pytest.mark.parametrize("skip", COMBINATIONS, ids=lambda skip: "without " + (", ".join(skip) or "nothing"))
def test_the_layers_keep_what_they_are_said_to(layout, targets, skip):
    """Whatever layers are missing: what is not said to be open is kept, and where something is open no text is run."""
    with Jail(skip=skip) as one:
        layers = one.ready()
        left_out = {name for name in layers if name in skip or ("namespaces" in skip and name.endswith("namespace"))}
        assert left_out <= {name for name, state in layers.items() if state == "not granted: left out on request"}
        assert "can be" not in layers["mount namespace"], "it was entered and does not hold"
        ways = unguarded(layers)
        if ways:
            assert "seccomp" in skip and "files" in ways
            with pytest.raises(JailError, match=", ".join(ways)):
                one.ask(_trials(targets), layout, 30)
            return
        answer = one.ask(_trials(targets), layout, 30)
    assert "ValueError: " in answer.reason, answer.reason
    told = answer.reason.split("ValueError: ", 1)[1].rstrip(".")
    codes = [code for codes in TRIALS.values() for code in codes]
    worked = [code for code, how in zip(codes, told, strict=True) if how == "!"]
    assert not worked


def test_a_network_namespace_alone_does_not_keep_sockets_that_are_files():
    every = {name: "active" for ways in GUARDS.values() for way in ways for name in way}
    assert unguarded(every) == []
    assert unguarded(every | {"seccomp": "not granted: no"}) == []
    assert unguarded(every | {"seccomp": "not granted: no", "mount namespace": "not granted: no", "landlock": "active"}) == [
        "files",
        "network",
    ]
    assert unguarded({"landlock": "active", "no_new_privs": "active", "capabilities": "active"}) == list(GUARDS)


def test_no_path_is_told_from_one_that_is_not_there(layout):
    """Whether a path exists is not answered, by any call, in the jail's own tree or without one."""
    calls = [f"libc.syscall({number(n)}, *A)" for n in ("openat", "newfstatat", "readlinkat", "faccessat2", "statx")]
    lines = ["told = []", "for path in (b'/etc/passwd', b'/etc/nothing_here', b'/proc/self/exe', b'/proc/self/nothing'):"]
    lines += ["    for call in CALLS:", "        A = (-100, path, 0, 0xfff, ctypes.create_string_buffer(512)) if call == CALLS[-1] else"]
    lines[-1] += " (-100, path, ctypes.create_string_buffer(512) if call in CALLS[1:3] else 0, 0 if call != CALLS[2] else 400)"
    lines += ["        B.eval(call, dict(libc=libc, A=A, __builtins__=B))", "        told.append(B.str(ctypes.get_errno()))"]
    lines += ["raise B.ValueError(' '.join(told))"]
    for skip, code in (((), 2), (("mount namespace",), 13), (("seccomp",), 2)):
        with Jail(skip=skip) as one:
            answer = one.ask(escaped(*lines).replace("WEIGHTS =", f"CALLS = {calls!r}\nWEIGHTS ="), layout, 30)
        told = answer.reason.split("ValueError: ", 1)[1].rstrip(".").split()
        assert told == [str(code)] * 20, (skip, answer.reason)


THREADS = ("made = []", "for i in B.range(3000):", "    try:", "        made.append(sys.modules['_thread'].start_new_thread(pause, (60,)))")
THREADS += ("    except B.RuntimeError:", "        break", "raise B.ValueError('made ' + B.str(len(made)))")


@pytest.mark.parametrize("skip", [(), ("mount namespace",), ("namespaces", "landlock")])
def test_no_thread_can_be_started(layout, skip):
    text = escaped("pause = sys.modules['time'].sleep", *THREADS)
    with Jail(skip=skip) as one:
        assert one.ready()["thread limit"] == "active"
        answer = one.ask(text, layout, 30)
    assert "ValueError: made 0" in answer.reason, answer.reason


FORKS = ("for i in B.range(3000):", "    if os.fork() == 0:", "        sys.modules['time'].sleep(60)", "sys.modules['time'].sleep(60)")


@pytest.mark.skipif(os.getuid() != 0, reason="the process limit, which only root is free of, refuses them all")
@pytest.mark.parametrize("act", [("pause = sys.modules['time'].sleep", *THREADS[:-1], "pause(60)"), FORKS], ids=["threads", "processes"])
def test_without_seccomp_threads_and_processes_are_counted(layout, act):
    with Jail(skip=("seccomp",)) as one:
        assert one.ready()["thread limit"].startswith("not granted: ")
        started = time.monotonic()
        answer = one.ask(escaped(*act), layout, 30)
    assert "it started too many threads or processes" in answer.reason, answer.reason
    assert time.monotonic() - started < 20


def test_the_process_limit_refuses_threads_to_all_but_root():
    code = (
        "import os, threading\nfrom movlr_jax.sandbox import inmate, locks\nos.getuid() or os.setuid(65534)\n"
        "locks.lock_resources(64 << 30, 60)\nprint(inmate._prove_threads())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "active\n"


def test_every_thread_is_started_by_the_warm_up(layout):
    """Also none that would start only now and then: MLIR's workers come when two tasks happen to wait at once."""
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom movlr_jax.sandbox import workbench\n"
        "def threads():\n    return {t.name: (t / 'comm').read_text() for t in Path('/proc/self/task').iterdir()}\n"
        "layout, text = sys.stdin.read().split('\\0')\nworkbench.start_threads()\nbefore = threads()\n"
        "assert workbench.prove(text, layout, 64)[0]['ok']\nassert threads() == before\n"
        "assert not [t for t in before.values() if 'llvm-worker' in t], before\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], input=f"{layout.to_json()}\0{CROWDED}", capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


HELPERS = "".join(f"def h{i}(x):\n    return jnp.clip(x, 0.0, {i}.5) + jnp.where(x > {i}, jnp.sinh(x), jnp.std(x))\n" for i in range(24))
CROWDED = (
    'WEIGHTS = {"a": 1.0}\nC = jnp.sin(jnp.ones((64, 64)))\n'
    + HELPERS
    + "def terms(m):\n    v = m.joints.deviation - jnp.sin(jnp.ones(4096))[0]\n    s = jnp.sum(jnp.dot(C * m.time, C - jnp.cos(C)))\n"
    + "".join(f"    s = s + jnp.sum(h{i}(v))\n" for i in range(24))
    + '    return {"a": s - jnp.sum(jnp.square(v - jnp.cos(C[0, 0])))}\n'
)


@pytest.mark.parametrize("skip", [(), ("mount namespace",), ("namespaces", "landlock"), ("seccomp",)])
@pytest.mark.parametrize("name", ["posture", "trigonometry", "crowded"])
def test_an_honest_program_needs_no_thread_and_no_file_more(layout, skip, name):
    """These reach every pool of the compiler's: constants to fold, functions that call functions, composites, products of matrices."""
    text = CROWDED if name == "crowded" else honest()[name]
    with Jail(layout, skip=skip) as one:
        answer = one.ask(text, layout, 60)
    assert answer.ok, answer.reason


def test_with_too_few_layers_no_text_is_run(layout):
    with (
        Jail(skip=("landlock", "seccomp", "namespaces")) as one,
        pytest.raises(JailError, match="files, network, processes, shared memory"),
    ):
        one.ask(escaped(f"B.open('{MARK}', 'w')"), layout, 30)


def test_it_dies_with_its_prover():
    """SIGKILL leaves the prover no moment to clean up; the kernel does."""
    code = (
        "import os, sys, time\nfrom movlr_jax.sandbox.jail import Jail\nj = Jail()\nj.ready()\nprint(j.pid, flush=True)\ntime.sleep(60)\n"
    )
    prover = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert prover.stdout is not None
        first = int(prover.stdout.readline())
        second = [int(p) for p in Path(f"/proc/{first}/task/{first}/children").read_text().split()]
        assert second
    finally:
        prover.send_signal(signal.SIGKILL)
        prover.wait()
        prover.stdout.close()
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline and any(_runs(p) for p in (first, *second)):
        time.sleep(0.02)
    assert not any(_runs(p) for p in (first, *second))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "closed early"),
        (b"MVLR", "closed early"),
        (b"\x80\x04\x95junk of a pickle, long enough", "first bytes"),
        (wire.PREFIX.pack(wire.MAGIC, 10**6, 0), "more than is ever read"),
        (wire.PREFIX.pack(wire.MAGIC, 2, 10**9) + b"{}", "more than is ever read"),
        (wire.PREFIX.pack(wire.MAGIC, 11, 0) + b'{"ok": NaN}', "not JSON"),
        (wire.PREFIX.pack(wire.MAGIC, 6000, 0) + b"[" * 6000, "not JSON"),
        (wire.PREFIX.pack(wire.MAGIC, 2, 0) + b"[]", "not a JSON object"),
        (wire.PREFIX.pack(wire.MAGIC, 3, 0) + b"\xff{}", "not JSON"),
        (wire.PREFIX.pack(wire.MAGIC, 2, 100) + b"{}" + b"x" * 99, "closed early"),
    ],
)
def test_damaged_messages_are_refused(data, said):
    read, write = os.pipe()
    try:
        os.write(write, data)
        os.close(write)
        with pytest.raises(wire.TransportError, match=said):
            wire.read(read, time.monotonic() + 5)
    finally:
        os.close(read)


def test_untrusted_words_are_made_plain():
    answer = jail._checked(json.loads('{"ok": false, "reason": "a\\u001b[2J\\nb", "line": -3}'), b"")
    assert answer.reason == "a [2J b" and answer.line is None
    assert not jail._checked({"ok": True, "names": ["a", 3]}, b"").ok
    assert not jail._checked({"ok": 1, "names": ["a"]}, b"").ok


def test_motion_needs_no_mujoco():
    """The jail loads what Motion loads; a physics engine in it would be one more thing to break."""
    code = "import sys; import movlr_jax.sandbox.workbench; sys.exit('mujoco' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert Motion.__module__ == "movlr_jax.rewards.motion"


def test_a_loop_on_a_busy_machine_meets_the_processor_limit(layout):
    """The wall-clock deadline is generous for honest texts on a busy machine; what burns processor time ends sooner."""
    with Jail(cpu_s=1) as one:
        answer = one.ask("WEIGHTS = {'a': 1.0}\ndef terms(m):\n    while True:\n        pass\n", layout, 120.0)
    assert not answer.ok and "processor time" in answer.reason

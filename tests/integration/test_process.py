"""The wrapper around subprocesses, with real processes that misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mlops_ci import errors, process, process_tree

LIMIT = 30.0
"""Seconds after which a test that waits has failed."""

FOREVER = "import time\nwhile True: time.sleep(0.05)\n"
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def python(code: str, *args: str | Path) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code), *map(str, args)]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pid_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 0.5)


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_run__return_code(code: int) -> None:
    completed = process.run(python("import sys; sys.exit(int(sys.argv[1]))", str(code)))

    assert (completed.returncode, completed.timed_out) == (code, False)


def test_run__return_code_of_a_signal() -> None:
    assert process.run(python("import os; os.kill(os.getpid(), 11)")).returncode == -signal.SIGSEGV


def test_run__streams_apart_and_merged() -> None:
    code = (
        "import sys\nfor i in range(3):\n  print('out', i, flush=True)\n  print('err', i, file=sys.stderr, flush=True)"
    )

    apart, merged = process.run(python(code)), process.run(python(code), merge=True)

    assert apart.stdout == "out 0\nout 1\nout 2\n"
    assert apart.stderr == "err 0\nerr 1\nerr 2\n"
    assert apart.output == apart.stdout + apart.stderr
    assert merged.stdout == "out 0\nerr 0\nout 1\nerr 1\nout 2\nerr 2\n"
    assert merged.stderr == ""


def test_run__nothing_is_lost_of_much_output_on_both_streams() -> None:
    code = "import sys\nfor i in range(20000):\n  print('o' * 50, i)\n  print('e' * 50, i, file=sys.stderr)"

    completed = process.run(python(code), timeout=LIMIT)

    assert len(completed.stdout.splitlines()) == len(completed.stderr.splitlines()) == 20000
    assert completed.stdout.endswith(" 19999\n")


def test_run__last_line_without_an_end_and_bytes_that_are_no_text() -> None:
    code = r"import sys; sys.stdout.buffer.write(b'\xff\xc3\xbc\r\nlast')"
    seen: list[str] = []

    completed = process.run(python(code), on_line=seen.append)

    assert completed.stdout == "\ufffdü\r\nlast"
    assert seen == ["\ufffdü", "last"]


def test_run__on_line_comes_while_the_child_runs(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    code = """
    import pathlib, sys, time
    print("question", flush=True)
    while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)
    print("answered")
    """

    completed = process.run(
        python(code, answer), on_line=lambda line: answer.touch() if line == "question" else None, timeout=LIMIT
    )

    assert (completed.stdout, completed.timed_out) == ("question\nanswered\n", False)


def test_run__a_raising_callback_does_not_block_the_child(tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = "import pathlib, sys\nprint('x\\n' * 200000)\npathlib.Path(sys.argv[1]).touch()"

    def fail(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="x"):
        process.run(python(code, done), on_line=fail, timeout=LIMIT)

    assert done.exists()


def test_run__log_is_kept_also_at_the_time_limit(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "tool.log"

    completed = process.run(python("print('so far', flush=True)\n" + FOREVER), timeout=1.0, log=log)

    assert completed.timed_out
    assert log.read_text() == completed.stdout == "so far\n"


@pytest.mark.parametrize("argv", [["no-such-program-anywhere"], ["/"]])
def test_run__missing_program(argv: list[str]) -> None:
    with pytest.raises(errors.MissingError, match="cannot be started"):
        process.run(argv)


def test_run__missing_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.MissingError, match="or its folder is"):
        process.run(python("pass"), cwd=tmp_path / "nowhere")


def test_run__environment_and_folder(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ['GIVEN'], 'HOME' in os.environ)"

    assert process.run(python(code), cwd=tmp_path, env={"GIVEN": "x"}).stdout == f"{tmp_path} x False\n"


def test_run__standard_input_is_empty() -> None:
    assert process.run(python("import sys; print(repr(sys.stdin.read()))"), timeout=LIMIT).stdout == "''\n"


@pytest.mark.parametrize("prelude", ["", DEAF], ids=["polite", "deaf"])
def test_run__time_limit_ends_the_whole_tree(tmp_path: Path, prelude: str) -> None:
    code = f"""
    import pathlib, subprocess, sys
    {'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)' if prelude else ''}
    child = subprocess.Popen([sys.executable, "-c", sys.argv[2]])
    pathlib.Path(sys.argv[1]).write_text(f"{{child.pid}}\\n")
    child.wait()
    """

    completed = process.run(python(code, tmp_path / "pid", prelude + FOREVER), timeout=2.0)

    assert completed.timed_out
    assert completed.returncode < 0
    assert not is_alive(pid_in(tmp_path / "pid"))


def test_run__before_end_can_still_ask_the_child() -> None:
    code = """
    import signal, time
    signal.signal(signal.SIGUSR1, lambda *_: print("stacks", flush=True))
    print("ready", flush=True)
    while True: time.sleep(0.05)
    """
    seen: list[str] = []

    def ask(child: process.Child) -> None:
        child.popen.send_signal(signal.SIGUSR1)
        wait_until(lambda: "stacks" in seen)

    completed = process.run(python(code), timeout=2.0, on_line=seen.append, before_end=ask)

    assert completed.timed_out
    assert completed.stdout == "ready\nstacks\n"


@pytest.mark.parametrize("new_session", [False, True], ids=["in-the-group", "in-a-session-of-its-own"])
def test_run__what_the_child_left_behind_is_ended(tmp_path: Path, new_session: bool) -> None:
    code = """
    import pathlib, subprocess, sys
    child = subprocess.Popen([sys.executable, "-c", sys.argv[2]], start_new_session=sys.argv[3] == "True")
    pathlib.Path(sys.argv[1]).write_text(f"{child.pid}\\n")
    print("done")
    """

    completed = process.run(python(code, tmp_path / "pid", FOREVER, str(new_session)), timeout=LIMIT)

    # It held our pipe open, and that neither blocked us nor cost us a line.
    assert (completed.returncode, completed.stdout, completed.timed_out) == (0, "done\n", False)
    assert not is_alive(pid_in(tmp_path / "pid"))


def test_run__left_behind_by_one_of_us_inside_another(tmp_path: Path) -> None:
    code = """
    import pathlib, subprocess, sys
    from mlops_ci import process
    child = process.Child([sys.executable, "-c", sys.argv[2]])
    pathlib.Path(sys.argv[1]).write_text(f"{child.pid}\\n")
    """

    process.run(python(code, tmp_path / "pid", FOREVER), timeout=LIMIT)

    assert not is_alive(pid_in(tmp_path / "pid"))


def test_run__an_exception_ends_the_child(tmp_path: Path) -> None:
    def fail(_: process.Child) -> None:
        raise RuntimeError("from before_end")

    code = f"import os, pathlib, sys\npathlib.Path(sys.argv[1]).write_text(f'{{os.getpid()}}\\n')\n{FOREVER}"
    with pytest.raises(RuntimeError, match="from before_end"):
        process.run(python(code, tmp_path / "pid"), timeout=1.0, before_end=fail)

    assert not is_alive(pid_in(tmp_path / "pid"))


def test_child__is_ended_when_its_block_ends() -> None:
    with process.Child(python(FOREVER)) as child:
        assert [each.pid for each in child.tree()] == [child.pid]

    assert child.popen.returncode == -signal.SIGTERM
    assert child.tree() == []
    assert child.end() == -signal.SIGTERM


def test_child__that_cleans_up_gets_the_time(tmp_path: Path) -> None:
    code = """
    import pathlib, signal, sys, time
    def clean(*_):
        time.sleep(0.2)
        pathlib.Path(sys.argv[1]).touch()
        sys.exit(7)
    signal.signal(signal.SIGTERM, clean)
    print("ready", flush=True)
    while True: time.sleep(0.05)
    """
    child = process.Child(python(code, tmp_path / "clean"), stdout=subprocess.PIPE)
    assert child.popen.stdout is not None
    with child.popen.stdout as stdout:
        stdout.readline()

        assert child.end(grace=LIMIT) == 7
    assert (tmp_path / "clean").exists()


def test_end_all__ends_children_of_other_threads() -> None:
    ended: list[process.Completed] = []
    started = threading.Event()
    code = "print('up', flush=True)\n" + FOREVER
    threads = [
        threading.Thread(
            target=lambda: ended.append(process.run(python(code), on_line=lambda _: started.set(), timeout=LIMIT))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
        assert started.wait(LIMIT)
        started.clear()

    process.end_all()

    for thread in threads:
        thread.join(LIMIT)
    assert [completed.timed_out for completed in ended] == [False, False]
    assert all(completed.returncode < 0 for completed in ended)


US = """
import pathlib, subprocess, sys, threading, time
from mlops_ci import errors, process

def stage():
    process.run([sys.executable, "-c", sys.argv[2], sys.argv[1]])
    try:
        process.run([sys.executable, "-c", ""])
    except errors.Failure as failure:
        print("refused:", failure.message, flush=True)

try:
    with process.ended_on_signals():
        thread = threading.Thread(target=stage)
        thread.start()
        while True: time.sleep(0.05)
except KeyboardInterrupt as stop:
    thread.join(20)
    print("stopped", stop, flush=True)
    sys.exit(130)
"""
DEAF_CHILD = DEAF + "import os, pathlib, sys\npathlib.Path(sys.argv[1]).write_text(f'{os.getpid()}\\n')\n" + FOREVER


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ended_on_signals__children_end_with_us(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", US, str(tmp_path / "pid"), DEAF_CHILD], stdout=subprocess.PIPE, text=True
    ) as us:
        try:
            child = pid_in(tmp_path / "pid")
            us.send_signal(number)
            time.sleep(0.1)
            # A second one, as an impatient runner sends it, must not interrupt the clean-up.
            us.send_signal(number)
            said, _ = us.communicate(timeout=LIMIT)
        finally:
            us.kill()

    assert us.returncode == 130
    assert "was not started. The run was told to stop." in said
    assert "stopped" in said
    assert not is_alive(child)


DROPPED = """
import os, signal
from mlops_ci import errors, process

class Noisy:
    def __del__(self):
        # Python drops what is raised here, whoever raises it.
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000): pass

with process.ended_on_signals():
    noisy = Noisy()
    del noisy
    try:
        process.run(["sleep", "600"])
    except errors.Failure as failure:
        print(failure.message, process.stopped())
"""


def test_ended_on_signals__one_that_comes_while_an_object_is_destroyed() -> None:
    done = subprocess.run([sys.executable, "-c", DROPPED], capture_output=True, text=True, timeout=LIMIT)
    assert "Exception ignored" in done.stderr, "this Python does not drop it"
    assert done.stdout == "sleep was not started. The run was told to stop. Run it again. True\n"


def test_ended_on_signals__puts_the_handlers_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    with process.ended_on_signals():
        assert signal.getsignal(signal.SIGTERM) is not before[1]

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert process.run(python("pass")).returncode == 0


def test_stop__no_child_starts_until_the_next_run() -> None:
    process.stop()
    with pytest.raises(errors.Failure, match="told to stop"):
        process.Child(python("pass"))

    with process.ended_on_signals():
        assert process.run(python("pass")).returncode == 0


def test_below__of_a_process_that_is_gone() -> None:
    child = subprocess.Popen(python("pass"))
    child.wait()

    assert process_tree.below(child.pid) == []


def test_marked__finds_by_the_mark_only() -> None:
    with process.Child(python(FOREVER), env=dict(os.environ)) as child:
        mark = child._mark
        wait_until(lambda: [each.pid for each in process_tree.marked(mark, but=0)] == [child.pid])

        assert process_tree.marked(mark, but=child.pid) == []
        assert process_tree.marked("no such mark", but=0) == []

"""What is kept of the stacks of a suite that hangs. The text is what faulthandler prints."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.testing import stacks

ROOT = Path("/client")

OUTPUT = """collected 1 item

tests/unit/test_h.py Fatal Python error: Aborted

Thread 0x00007fabf53a76c0 (most recent call first):
  File "/venv/lib/python3.11/site-packages/execnet/gateway_base.py", line 534 in read
  File "/venv/lib/python3.11/site-packages/execnet/gateway_base.py", line 567 in from_io

Current thread 0x00007fdfaba3db80 (most recent call first):
  File "/usr/lib/python3.11/socket.py", line 706 in readinto
  File "/usr/lib/python3.11/http/client.py", line 286 in begin
  File "/client/.venv/lib/python3.11/site-packages/requests/api.py", line 59 in get
  File "/client/src/pkg/remote.py", line 12 in fetch
  File "/client/tests/unit/test_h.py", line 3 in test_h
  File "/venv/lib/python3.11/site-packages/_pytest/python.py", line 187 in pytest_pyfunc_call
  File "<frozen runpy>", line 88 in _run_code
"""


def test_summarise__the_innermost_frame_and_the_clients_own() -> None:
    assert stacks.summarise(OUTPUT, ROOT).splitlines() == [
        "    a stack, most recent call first:",
        '      File "/usr/lib/python3.11/socket.py", line 706 in readinto',
        '      File "src/pkg/remote.py", line 12 in fetch',
        '      File "tests/unit/test_h.py", line 3 in test_h',
    ]


def test_summarise__several_processes_and_the_same_stack_once() -> None:
    other = OUTPUT.replace("test_h", "test_g")
    text = stacks.summarise(OUTPUT + other + OUTPUT, ROOT)
    assert text.count("a stack") == 2
    assert text.index("test_h.py") < text.index("test_g.py")


def test_summarise__a_last_stack_without_an_end() -> None:
    assert "test_h.py" in stacks.summarise(OUTPUT.rstrip().rpartition("\n")[0], ROOT)


def test_summarise__nothing_of_the_client() -> None:
    assert stacks.summarise(OUTPUT, Path("/elsewhere")) == ""
    assert stacks.summarise("", ROOT) == ""
    # A traceback has its lines in it too, and is no stack of a thread.
    assert stacks.summarise('  File "/client/tests/test_a.py", line 3, in test_a\n', ROOT) == ""


def test_summarise__has_an_end() -> None:
    many = "".join(OUTPUT.replace("test_h", f"test_{number}") for number in range(50))
    assert stacks.summarise(many, ROOT).count("a stack") == stacks.MOST

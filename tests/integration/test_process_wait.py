"""Waiting for a child, with and without a system that tells when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mlops_ci import process_wait

LIMIT = 60.0


@contextmanager
def child(code: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as popen:
        yield popen
        popen.kill()


@pytest.fixture(params=["told", "polled"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as where the kernel has no such call."""

    def refused(_: int) -> int:
        raise OSError(38, "Function not implemented")

    if request.param == "polled" and sys.platform == "linux":
        monkeypatch.setattr(os, "pidfd_open", refused)


@pytest.mark.usefixtures("how")
@pytest.mark.parametrize("limit", [LIMIT, None, 9_999_999_999.0])
def test_ended__with_its_code(limit: float | None) -> None:
    with child("raise SystemExit(7)") as popen:
        assert process_wait.ended(popen, limit)
        assert popen.returncode == 7


@pytest.mark.usefixtures("how")
def test_ended__not_before_its_end() -> None:
    with child("input()") as popen:
        assert not process_wait.ended(popen, 0.2)
        assert not process_wait.ended(popen, 0.0)
        assert popen.returncode is None
        assert popen.stdin is not None
        popen.stdin.write(b"\n")
        popen.stdin.close()
        assert process_wait.ended(popen, LIMIT)
        assert popen.returncode == 0


@pytest.mark.usefixtures("how")
def test_ended__when_others_wait_too() -> None:
    with child("input()") as popen:
        said: list[bool] = []
        threads = [threading.Thread(target=lambda: said.append(process_wait.ended(popen, LIMIT))) for _ in range(4)]
        for thread in threads:
            thread.start()
        popen.kill()
        for thread in threads:
            thread.join()
        assert said == [True] * 4
        assert process_wait.ended(popen, LIMIT), "and after all of them"
        assert popen.returncode == -9


@pytest.mark.skipif(sys.platform != "linux", reason="there are no such descriptors")
def test_ended__leaves_no_descriptor() -> None:
    with child("input()") as popen:
        before = os.listdir("/proc/self/fd")
        assert not process_wait.ended(popen, 0.0)
        popen.kill()
        assert process_wait.ended(popen, LIMIT)
        assert os.listdir("/proc/self/fd") == before

"""The services that are compared: a tiny FastAPI client, written to order.

What differs between base and head is one `Service`; the files are otherwise the same to the byte.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

APP = '''
"""Written by the validation of the paired load test."""

import asyncio
import json
import random
import sqlite3
import sys

from fastapi import FastAPI, HTTPException

S = json.loads(%r)
if S["refuses"]:
    sys.exit("this service does not start")
app = FastAPI()
kept = []


def work(rounds):
    x = 1
    for _ in range(rounds):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def table():
    connection = sqlite3.connect("data.sqlite", timeout=10)
    connection.execute("create table if not exists seen (id integer primary key, text text)")
    connection.executemany("insert into seen (text) values (?)", [(str(n),) for n in range(200)])
    connection.commit()
    return connection


database = table() if S["sqlite"] else None


async def answer(rounds):
    work(rounds)
    if S["wait_ms"]:
        await asyncio.sleep(S["wait_ms"] / 1000)
    if S["fails"] and random.random() < S["fails"]:
        raise HTTPException(500)
    if S["leak_bytes"]:
        kept.append(bytearray(S["leak_bytes"]))
    if database is not None:
        database.execute("update seen set text = ? where id = ?", ("x", random.randint(1, 200)))
        database.commit()
        database.execute("select count(*) from seen where text like ?", ("%%x%%",)).fetchone()
    return {"score": 0.5, "pad": "x" * S["size"]}


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.post("/predict")
async def predict(body: dict):
    return await answer(S["rounds"])


@app.get("/items")
async def items():
    return await answer(S["rounds"] // 2)


@app.get("/search")
async def search(q: str = ""):
    return await answer(S["rounds_of_search"])
'''

LOCUSTFILE = """
from locust import FastHttpUser, {waits}, task


class Caller(FastHttpUser):
    wait_time = {waits}({times})

    @task(6)
    def predict(self):
        self.client.post("/predict", json={{"a": 1.0, "b": [1, 2, 3]}})

    @task(3)
    def items(self):
        self.client.get("/items")

    @task(1)
    def search(self):
        self.client.get("/search?q=a", name="/search")
"""


@dataclass(frozen=True)
class Service:
    """One side.

    Attributes:
        rounds, rounds_of_search: What a request costs the processor, in rounds of a small loop.
        wait_ms: What it waits besides.
        fails: The share of requests that are answered with 500.
        leak_bytes: What each request leaves behind.
        size: Of the answer, in bytes.
        refuses: Whether it does not start.
    """

    rounds: int = 20_000
    rounds_of_search: int = 20_000
    wait_ms: float = 0.0
    fails: float = 0.0
    leak_bytes: int = 0
    size: int = 200
    sqlite: bool = False
    refuses: bool = False

    @property
    def mean_rounds(self) -> float:
        """Of a request, as `LOCUSTFILE` mixes them."""
        return 0.6 * self.rounds + 0.3 * self.rounds / 2 + 0.1 * self.rounds_of_search

    def but(self, **changes: Any) -> Service:
        """This one with changes."""
        return dataclasses.replace(self, **changes)

    def write(self, root: Path, locustfile: str) -> None:
        """The client's folder."""
        (root / "tiny").mkdir(parents=True)
        (root / "tiny" / "__init__.py").write_text("", encoding="utf-8")
        text = APP % json.dumps(dataclasses.asdict(self))
        (root / "tiny" / "main.py").write_text(text.lstrip(), encoding="utf-8")
        (root / "locustfile.py").write_text(locustfile, encoding="utf-8")
        (root / "requirements.txt").write_text("fastapi\n", encoding="utf-8")


@dataclass(frozen=True)
class Row:
    """A pair that is compared, and what should come of it.

    Attributes:
        expected: The verdict.
        slower, search_slower: By which share head needs more processor time for a request, for one of the search.
        base, head: What else is different about them.
        about: What the verdict should rest on: a metric, or words of the message.
        load: Changes of the load settings.
    """

    expected: str
    slower: float = 0.0
    base: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    search_slower: float = 0.0
    about: str = ""
    load: dict[str, Any] = field(default_factory=dict)
    waits: tuple[str, str] = ("constant", "0")

    def sides(self, cost: float) -> tuple[Service, Service]:
        """Base and head.

        Args:
            cost: What share of a request's processor time one round has.
        """
        base = Service().but(**self.base)
        more, more_search = (share / cost if share else 0.0 for share in (self.slower, self.search_slower))
        factor = 1 + more / base.mean_rounds
        head = base.but(
            rounds=round(base.rounds * factor),
            rounds_of_search=round(base.rounds_of_search * factor + more_search),
        )
        return base, head.but(**self.head)

    @property
    def truth(self) -> float | None:
        """The processor time of head for a request, by that of base; None where it is not known.

        `slower` is a share of what the usual service needs: where both do more than that, it is less of the whole.
        """
        known = self.base == self.head and not self.search_slower and not (self.slower and self.base)
        return 1 + self.slower if known else None

    @property
    def locustfile(self) -> str:
        """The users."""
        return LOCUSTFILE.format(waits=self.waits[0], times=self.waits[1])


WAITING_USERS = ("between", "0.05, 0.5")
PACED_USERS = ("constant_throughput", "10")
ROWS = {
    "identical": Row("pass"),
    "cpu +4 %": Row("pass", 0.04),
    "cpu +8 %": Row("fail", 0.08, about="mean"),
    "cpu +15 %": Row("fail", 0.15, about="mean"),
    "cpu +30 %": Row("fail", 0.30, about="mean"),
    "waits 2 ms": Row("fail", head={"wait_ms": 2.0}, about="mean-unsaturated"),
    "one endpoint of three +50 %": Row("fail", search_slower=0.5, about="GET /search"),
    "leak": Row("fail", head={"leak_bytes": 20_000}, about="memory"),
    "twice the failures": Row("fail", base={"fails": 0.01}, head={"fails": 0.02}, about="failures"),
    "another response size": Row("inconclusive", head={"size": 2000}, about="bytes"),
    "base does not start": Row("none", base={"refuses": True}, about="before /health"),
    "head does not start": Row("error", head={"refuses": True}, about="before /health"),
    "two workers, identical": Row("pass", load={"workers": 2}),
    "two workers, cpu +15 %": Row("fail", 0.15, load={"workers": 2}, about="cpu"),  # see the page: what times hide
    "sqlite, identical": Row("pass", base={"sqlite": True}, head={"sqlite": True}),
    "sqlite, cpu +15 %": Row("fail", 0.15, base={"sqlite": True}, head={"sqlite": True}, about="mean"),
    "upstream of 10 ms, identical": Row("pass", base={"wait_ms": 10.0}, head={"wait_ms": 10.0}),
    "upstream of 10 ms, then 12": Row("fail", base={"wait_ms": 10.0}, head={"wait_ms": 12.0}, about="mean-unsaturated"),
    "users that wait, identical": Row("pass", waits=WAITING_USERS),
    "users that wait, cpu +15 %": Row("fail", 0.15, waits=WAITING_USERS, about="mean"),
    "paced users, identical": Row("pass", waits=PACED_USERS),
    "in slices, identical": Row("pass", load={"mode": "slices"}),
    "in slices, cpu +30 %": Row("fail", 0.30, load={"mode": "slices"}, about="mean"),
}
COMMON = ("identical", "cpu +4 %", "cpu +8 %", "cpu +15 %", "cpu +30 %", "waits 2 ms")
"""The rows that are repeated most, and that other ways of comparing are held against."""

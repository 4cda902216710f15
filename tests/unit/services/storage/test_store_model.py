"""A property: whatever is done in whatever order, the embedded store answers like a dictionary with a clock."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.storage.sqlite_store import SqliteStore
from tests.examples import some_of

pytestmark = pytest.mark.slow

T = TypeVar("T")

keys = st.sampled_from(["a", "b", "a:b", "%", "_", ""])
names = st.sampled_from(["x", "y", ""])
values = st.sampled_from(["1", "2", "", "ü"]) | st.text(max_size=5)
ttls = st.none() | st.integers(min_value=1, max_value=90)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.now = 1_000_000.0
        self.values: dict[str, tuple[str, float]] = {}
        self.sets: dict[str, tuple[dict[str, str], float]] = {}
        self.store = self.open()

    def open(self) -> SqliteStore:
        return SqliteStore(Path(self.folder.name) / "store.sqlite3", clock=lambda: self.now)

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)

    def end(self, ttl: int | None) -> float:
        return float("inf") if ttl is None else self.now + ttl

    def value(self, key: str) -> str | None:
        value, end = self.values.get(key, ("", 0.0))
        return value if end > self.now else None

    def fields(self, key: str) -> dict[str, str]:
        fields, end = self.sets.get(key, ({}, 0.0))
        return fields if end > self.now else {}

    @rule(key=keys, value=values, ttl=ttls)
    def put(self, key: str, value: str, ttl: int | None) -> None:
        self.run(self.store.put(key, value, ttl))
        self.values[key] = value, self.end(ttl)

    @rule(key=keys, value=values, ttl=ttls)
    def add(self, key: str, value: str, ttl: int | None) -> None:
        absent = self.value(key) is None
        assert self.run(self.store.add(key, value, ttl)) == absent
        if absent:
            self.values[key] = value, self.end(ttl)

    @rule(key=keys, old=values, new=values, ttl=ttls)
    def replace(self, key: str, old: str, new: str, ttl: int | None) -> None:
        same = self.value(key) == old
        assert self.run(self.store.replace(key, old, new, ttl)) == same
        if same:
            self.values[key] = new, self.end(ttl)

    @rule(key=keys, value=values)
    def delete_if(self, key: str, value: str) -> None:
        same = self.value(key) == value
        assert self.run(self.store.delete_if(key, value)) == same
        if same:
            del self.values[key]

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.run(self.store.delete(key))
        self.values.pop(key, None)
        self.sets.pop(key, None)

    @rule(key=keys, field=names, value=values, ttl=ttls)
    def put_field(self, key: str, field: str, value: str, ttl: int | None) -> None:
        self.run(self.store.put_field(key, field, value, ttl))
        self.sets[key] = {**self.fields(key), field: value}, self.end(ttl)

    @rule(key=keys, field=names)
    def delete_field(self, key: str, field: str) -> None:
        self.run(self.store.delete_field(key, field))
        self.fields(key).pop(field, None)

    @rule(seconds=st.integers(min_value=1, max_value=120))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.store = self.open()

    @invariant()
    def same_answers(self) -> None:
        live = {key for key in self.values if self.value(key) is not None} | {
            key for key in self.sets if self.fields(key)
        }
        assert self.run(self.store.keys("")) == sorted(live)
        for key in ("a", "b", "a:b", "%", "_", "", "n", "m"):
            assert self.run(self.store.get(key)) == self.value(key)
            assert self.run(self.store.fields(key)) == self.fields(key)
        assert self.run(self.store.keys("a")) == sorted(key for key in live if key.startswith("a"))

    def teardown(self) -> None:
        self.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()


StoreMachine.TestCase.settings = settings(max_examples=some_of(25), stateful_step_count=30, deadline=None)
TestStoreAgainstItsModel = pytest.mark.examples(StoreMachine.TestCase)

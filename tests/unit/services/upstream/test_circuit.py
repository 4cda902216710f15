"""When a circuit opens, for how long, and what closes it again; on a clock of the test's own."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.upstream.circuit import Circuit, CircuitPolicy, CircuitState
from tests.examples import some_of


class CircuitClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> CircuitClock:
    return CircuitClock()


@pytest.fixture
def circuit(clock: CircuitClock) -> Circuit:
    return Circuit(clock=clock)


def fail(circuit: Circuit, times: int = 1) -> None:
    for _ in range(times):
        assert circuit.admit()
        circuit.fail()


def test_four_failures_in_a_row_leave_it_closed(circuit: Circuit) -> None:
    fail(circuit, 4)

    assert circuit.state is CircuitState.CLOSED


def test_fifth_failure_in_a_row_opens_it(circuit: Circuit) -> None:
    fail(circuit, 4)

    assert circuit.admit()
    assert circuit.fail()

    assert circuit.state is CircuitState.OPEN
    assert not circuit.admit()
    assert circuit.retry_after == 5.0


def test_success_breaks_the_row(circuit: Circuit) -> None:
    fail(circuit, 4)
    circuit.succeed()
    fail(circuit, 4)

    assert circuit.state is CircuitState.CLOSED


def test_half_of_ten_calls_failing_opens_it(circuit: Circuit) -> None:
    for _ in range(4):
        circuit.succeed()
        fail(circuit)
    circuit.succeed()
    before = circuit.state

    fail(circuit)

    assert (before, circuit.state) == (CircuitState.CLOSED, CircuitState.OPEN)


def test_failures_older_than_the_window_do_not_count(circuit: Circuit, clock: CircuitClock) -> None:
    for _ in range(4):
        circuit.succeed()
        fail(circuit)
    clock.now += 30.1

    circuit.succeed()
    fail(circuit)

    assert circuit.state is CircuitState.CLOSED


def test_answers_that_say_nothing_do_not_count(circuit: Circuit) -> None:
    for _ in range(20):
        assert circuit.admit()
        circuit.forget()

    assert circuit.state is CircuitState.CLOSED


def test_one_probe_is_let_through_after_the_pause(circuit: Circuit, clock: CircuitClock) -> None:
    fail(circuit, 5)
    clock.now += 5.0

    assert circuit.state is CircuitState.HALF_OPEN
    assert circuit.admit()
    assert not circuit.admit()


def test_good_probe_closes_it(circuit: Circuit, clock: CircuitClock) -> None:
    fail(circuit, 5)
    clock.now += 5.0
    circuit.admit()

    circuit.succeed()

    assert circuit.state is CircuitState.CLOSED
    assert circuit.admit()


def test_failed_probes_double_the_pause_up_to_a_minute(circuit: Circuit, clock: CircuitClock) -> None:
    fail(circuit, 5)
    pauses = []
    for _ in range(6):
        pauses.append(circuit.retry_after)
        clock.now += circuit.retry_after
        fail(circuit)

    assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_pause_starts_anew_after_a_recovery(circuit: Circuit, clock: CircuitClock) -> None:
    fail(circuit, 5)
    clock.now += 5.0
    fail(circuit)
    clock.now += 10.0
    circuit.admit()
    circuit.succeed()

    fail(circuit, 5)

    assert circuit.retry_after == 5.0


def test_probe_that_says_nothing_lets_another_one_through(circuit: Circuit, clock: CircuitClock) -> None:
    fail(circuit, 5)
    clock.now += 5.0
    circuit.admit()

    circuit.forget()

    assert circuit.admit()


def test_late_success_of_an_older_call_does_not_close_it(circuit: Circuit) -> None:
    circuit.admit()
    fail(circuit, 5)

    circuit.succeed()

    assert circuit.state is CircuitState.OPEN


def test_trip_opens_it_at_once(circuit: Circuit) -> None:
    assert circuit.trip()
    assert circuit.state is CircuitState.OPEN


class Calls(RuleBasedStateMachine):
    """Any order of calls, outcomes and time: never two probes at once, never a call while open."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = CircuitClock()
        self.policy = CircuitPolicy(failures_in_a_row=3, window_calls=4)
        self.circuit = Circuit(self.policy, clock=self.clock)
        self.probing = False
        self.running = 0

    @rule()
    def start(self) -> None:
        state = self.circuit.state
        admitted = self.circuit.admit()
        assert admitted == (state is CircuitState.CLOSED or (state is CircuitState.HALF_OPEN and not self.probing))
        self.running += admitted
        self.probing = self.probing or (admitted and state is CircuitState.HALF_OPEN)

    @precondition(lambda self: self.running > 0)
    @rule(outcome=st.sampled_from(["succeed", "fail", "forget"]))
    def end(self, outcome: str) -> None:
        getattr(self.circuit, outcome)()
        self.running -= 1
        self.probing = False

    @rule(seconds=st.floats(min_value=0.0, max_value=90.0))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def pause_is_bounded(self) -> None:
        assert 0.0 <= self.circuit.retry_after <= self.policy.longest_pause


Calls.TestCase.settings = settings(max_examples=some_of(200), deadline=None)
TestCalls = pytest.mark.examples(Calls.TestCase)

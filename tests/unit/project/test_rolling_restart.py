"""What `deploy/rolling_restart.py` takes as options; that nobody notices it is seen in tests/scale/."""

import pytest

from deploy import rolling_restart
from deploy.rolling_restart import Balancer, NotReady, main, restart_each


class WatchedBalancer(Balancer):
    """A balancer that does what it is told; `sick` replicas never become ready."""

    def __init__(self, *sick: str) -> None:
        super().__init__("nowhere")
        self.sick = sick
        self.done: list[str] = []

    def ask(self, command: str) -> str:
        self.done.append(command)
        return ""

    def is_idle(self, replica: str) -> bool:
        return True

    def is_ready(self, replica: str) -> bool:
        return replica not in self.sick


def test_each_of_the_named_replicas_is_emptied_restarted_and_given_its_share() -> None:
    balancer = WatchedBalancer()

    restart_each(balancer, lambda name: balancer.done.append(f"restart {name}"), ["8081", "8082"])

    assert balancer.done == [
        "set weight app/8081 0%", "restart 8081", "set weight app/8081 100%",
        "set weight app/8082 0%", "restart 8082", "set weight app/8082 100%",
    ]  # fmt: skip


def test_one_that_does_not_come_back_in_its_time_ends_it_and_the_others_are_left() -> None:
    balancer = WatchedBalancer("a")

    with pytest.raises(NotReady, match="a is not ready 0 s after its restart"):
        restart_each(balancer, lambda _name: None, ["a", "b"], ready_in=0)

    assert not any("app/b" in command for command in balancer.done)


def test_replicas_backend_times_and_command_are_options(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def noted(balancer: Balancer, restart: object, replicas: object, **times: float) -> None:
        given.extend([replicas, times])

    monkeypatch.setattr(rolling_restart, "restart_each", noted)

    assert main(["--replicas", "8081, 8082", "--empties-in", "5", "--ready-in", "120", "--", "systemctl", "x@{}"]) == 0
    assert given == [("8081", "8082"), {"empties_in": 5.0, "ready_in": 120.0}]


@pytest.mark.parametrize("wrong", [["--replicas", "a,a"], ["--replicas", ","], ["--ready-in", "-1"]])
def test_what_can_not_be_meant_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*wrong, "--", "true"])

    assert "error: argument" in capsys.readouterr().err

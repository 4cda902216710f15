"""Whether this process can draw pages: found out at the start, before its port opens, and told to load balancers."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class PageHealth:
    """What the self-test found. `left_off` are optimizations that do not fit the installed NiceGUI, each with why."""

    drawn: bool = False
    problem: str = ""
    left_off: Mapping[str, str] = field(default_factory=dict)

    def passed(self, left_off: Mapping[str, str]) -> None:
        """Note that a page was drawn, with these left off."""
        self.drawn, self.problem, self.left_off = True, "", left_off

    def failed(self, problem: str) -> None:
        """Note that no page can be drawn, and why."""
        self.drawn, self.problem = False, problem

"""What parameters have in common: unknown ones are refused, times are POSIX seconds, lists are paged by cursor."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sandbox.stripe.rest.forms import Many

Metadata: TypeAlias = dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=500)]]
"""Up to 50 texts; an empty one takes its key away (https://docs.stripe.com/metadata)."""

Moment: TypeAlias = Annotated[datetime, BeforeValidator(lambda value: _moment(value))]
"""POSIX seconds."""

Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=5000)]


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CallParams(Params):
    """Every call can ask for ids to be replaced by what they name."""

    expand: Many[str] = Field(default_factory=list)


class CreatedRange(Params):
    gt: Moment | None = None
    gte: Moment | None = None
    lt: Moment | None = None
    lte: Moment | None = None

    def holds(self, moment: datetime) -> bool:
        moment = moment.replace(microsecond=0)
        return not (
            (self.gt and moment <= self.gt)
            or (self.gte and moment < self.gte)
            or (self.lt and moment >= self.lt)
            or (self.lte and moment > self.lte)
        )


class ListParams(CallParams):
    """`created` is a range, or one second."""

    limit: int = Field(default=10, ge=1, le=100)
    starting_after: str = ""
    ending_before: str = ""
    created: Annotated[CreatedRange, BeforeValidator(lambda value: _range(value))] = CreatedRange()


def merged(known: dict[str, str], given: Metadata | None) -> dict[str, str]:
    """Metadata after an update: keys are added and replaced, those with an empty text go."""
    return {key: value for key, value in {**known, **(given or {})}.items() if value}


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.isdigit() or len(value) > 11:
        raise ValueError(f"Invalid timestamp: {value}")
    return datetime.fromtimestamp(int(value), UTC)


def _range(value: Any) -> Any:
    return {"gte": value, "lte": value} if isinstance(value, str) else value

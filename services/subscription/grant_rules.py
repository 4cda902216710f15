"""What the operator says of access: which words of the account mean a gift, and whether billing's record grants too."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self


@dataclass(frozen=True, slots=True)
class GrantRules:
    """`gift_words` are the account's words for "given", in lower case.

    `by_record` lets a record of billing's whose period runs grant its plan until its end, where the account says
    nothing of it (`GRANT_BY_RECORD`): for an Auth MS that never speaks of plans, and told as such in every answer.
    """

    gift_words: frozenset[str] = frozenset()
    by_record: bool = False

    @classmethod
    def of(cls, gift_words: Iterable[str], *, by_record: bool) -> Self:
        """Return the rules for words as an operator writes them."""
        return cls(frozenset(word.strip().lower() for word in gift_words), by_record)


ACCOUNT_ALONE: Final = GrantRules()

"""How a state or a word is coloured: badges, icons of cards, notices."""

from typing import Literal

Tone = Literal["neutral", "brand", "filled", "success", "warning", "danger", "info"]

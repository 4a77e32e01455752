"""The ladders of settings that a temperature sweep samples at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seqmusic.generation.request import Request

TEMPERATURES = (0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3)
DEFAULT_RULES_TEMPERATURES = (0.6, 0.8, 1.0, 1.15)
MIN_PS = (0.02, 0.05, 0.1, 0.2)
MODEL_ALONE, DEFAULT_RULES, MIN_P = "model alone", "default rules", "min-p"
LADDERS: Mapping[str, str] = {
    MODEL_ALONE: "the model's predictions, within the compass of each voice",
    DEFAULT_RULES: "with the default lenience and cadence of composing",
    MIN_P: "the model alone at temperature 1, without what is less likely than this share of the "
    "likeliest",
}
"""The ladders of settings, with what they are."""


@dataclass(frozen=True, slots=True)
class SamplingSetting:
    """One rung of a ladder.

    Attributes:
        ladder: which of LADDERS it belongs to.
        level: the temperature; on the ladder of min-p, that share.
        request: how candidates are drawn, and the rules that they obey.
    """

    ladder: str
    level: float
    request: Request

    @property
    def name(self) -> str:
        """What it is called.

        >>> SamplingSetting("min-p", 0.05, Request(min_p=0.05)).name
        'min-p 0.05'
        >>> SamplingSetting("model alone", 1.0, Request()).name
        'temperature 1, model alone'
        """
        if self.ladder == MIN_P:
            return f"min-p {self.level:g}"
        return f"temperature {self.level:g}, {self.ladder}"


def sampling_settings(
    alone_temperatures: Sequence[float] = TEMPERATURES,
    rules_temperatures: Sequence[float] = DEFAULT_RULES_TEMPERATURES,
    min_p: Sequence[float] = MIN_PS,
) -> list[SamplingSetting]:
    """The settings of all LADDERS, each at the given temperatures or min-p."""
    alone = Request(temperature=1.0, lenience=1.0, cadence=False, effort=0)
    return [
        *(
            SamplingSetting(MODEL_ALONE, level, replace(alone, temperature=level))
            for level in alone_temperatures
        ),
        *(
            SamplingSetting(DEFAULT_RULES, level, Request(temperature=level, effort=0))
            for level in rules_temperatures
        ),
        *(SamplingSetting(MIN_P, level, replace(alone, min_p=level)) for level in min_p),
    ]

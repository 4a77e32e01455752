"""How much is searched, in levels: more candidates grow together for each one that is returned."""

from __future__ import annotations

from dataclasses import dataclass

from seqmusic.setting_checks import check_at_least, check_positive, check_types


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """How a population is searched for one candidate.

    Raises:
        SettingError: a value is of another type, or outside its range.
    """

    n_particles: int  # candidates that grow together, 2 or more
    interval: int = 12  # events between two selections, 1 or more
    judge_weight: float = 1.0  # of log-odds in a selection, more than 0; 1 is a density ratio

    def __post_init__(self) -> None:
        check_types(self)
        check_at_least(self, 2, "n_particles")
        check_at_least(self, 1, "interval")
        check_positive(self, "judge_weight")


EFFORTS: tuple[SearchSettings | None, ...] = (
    None,
    SearchSettings(n_particles=8),
    SearchSettings(n_particles=16),
    SearchSettings(n_particles=48),
)
"""What each level of effort does; without settings, candidates are drawn and not searched."""

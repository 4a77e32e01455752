"""A request for music: how many candidates, how they are drawn, and what they must obey."""

from __future__ import annotations

from dataclasses import dataclass

MAX_CANDIDATES = 64
MAX_EFFORT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an id is drawn; the defaults draw from the whole distribution of the model."""

    temperature: float = 1.0  # 0 = the likeliest
    top_k: int = 0  # keep the k likeliest, 0 = all
    top_p: float = 1.0  # keep the likeliest that together reach this probability, 0..1
    min_p: float = 0.0  # keep those at least this share as likely as the likeliest, 0..1

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(
                f"temperature must be 0 (the likeliest) or more, got {self.temperature}"
            )
        if self.top_k < 0:
            raise ValueError(f"top_k must be 0 (all) or more, got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in 0..1 and not 0, got {self.top_p}")
        if not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p must be in 0..1, got {self.min_p}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """How candidates are drawn, and what they must obey.

    Attributes:
        n: How many candidates.
        temperature: 1 is the model as trained, less is safer; 0 always takes the likeliest event,
            which gives one candidate.
        pitch_temperature: The temperature of pitches alone.
        rhythm_temperature: The temperature of durations alone.
        top_k: Draw among this many of the likeliest; 0 is all.
        top_p: Draw among the likeliest that together reach this probability.
        min_p: Exclude what is less likely than this share of the likeliest; 0.05 steadies a model
            after a short training.
        seed: The same seed gives the same candidates.
        cadence: End on the tonic chord, its root in the lowest voice; by default wherever that is
            possible.
        scale: Compose only with notes of the key's scale; in minor, both forms of the sixth and
            seventh degree.
        strict: No voice crosses another, and no two move in parallel fifths or octaves.
        lenience: Without --strict, the share of its probability that a note keeps if it crosses a
            voice or moves in parallel; 1 is the model alone.
        compass: Lowest and highest pitch of voices, such as soprano=C4-G5; other voices keep the
            compass of the chorales.
        effort: How much is searched for each candidate, 0 to 3; 0 draws once. Searching needs four
            voices and a model with a judge.
    """

    n: int = 3
    temperature: float = 0.8
    pitch_temperature: float | None = None
    rhythm_temperature: float | None = None
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    cadence: bool | None = None
    scale: bool = False
    strict: bool = False
    lenience: float = 0.03
    compass: tuple[str, ...] = ()
    effort: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.n <= MAX_CANDIDATES:
            raise ValueError(f"n must be in 1..{MAX_CANDIDATES}, got {self.n}")
        if not 0 < self.lenience <= 1:
            raise ValueError(
                f"lenience must be in 0..1 and not 0 (that is --strict), got {self.lenience}"
            )
        if not 0 <= self.effort <= MAX_EFFORT:
            raise ValueError(f"effort must be in 0..{MAX_EFFORT}, got {self.effort}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, got {self.seed}")
        _ = self.pitch_sampling, self.rhythm_sampling

    @property
    def pitch_sampling(self) -> Sampling:
        """How sounds are drawn."""
        return self._sampling(self.pitch_temperature)

    @property
    def rhythm_sampling(self) -> Sampling:
        """How durations are drawn."""
        return self._sampling(self.rhythm_temperature)

    def _sampling(self, temperature: float | None) -> Sampling:
        return Sampling(
            temperature=self.temperature if temperature is None else temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            min_p=self.min_p,
        )

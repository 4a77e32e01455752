"""A temperature sweep made by hand, and a point of a copying curve."""

import math

from seqmusic.evaluation.estimates import UNITS, Estimate
from seqmusic.evaluation.sampling_settings import sampling_settings
from seqmusic.evaluation.temperature_sweep import SweepPoint, TemperatureSweep
from seqmusic.metrics.distributions import DISTRIBUTIONS
from seqmusic.report.copying_curve import CopyingPoint

COPYING_POINT = CopyingPoint(
    training="as configured",
    step=100,
    epochs=1.5,
    training_nats_per_cell=0.4,
    validation_nats_per_cell=0.5,
    held_out=9.0,
    held_out_low=8.0,
    held_out_high=10.0,
    known=12.0,
    known_low=11.0,
    known_high=14.0,
    works=10.0,
)


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.1, value + 0.1)


def small_sweep() -> TemperatureSweep:
    """Temperature 1 with the default rules is closest; at 0.4 one measure has no value."""
    points = []
    for setting in sampling_settings((0.4, 1.0), (0.8, 1.0), (0.05,)):
        distance = abs(setting.level - 1) + 0.3 * (setting.request.lenience == 1)
        estimates = {name: estimate(1 + distance) for name in UNITS}
        if setting.level == 0.4:
            estimates["pitch class in minor"] = Estimate(math.nan, math.nan, math.nan)
        points.append(SweepPoint(setting, 4, estimates, (5, 8, 9, 12)))
    return TemperatureSweep(
        tuple(points),
        {name: estimate(1) for name in UNITS},
        (6, 8, 10),
        dict.fromkeys(DISTRIBUTIONS, 0.5),
    )

"""Fitted laws: known laws are found again, and data without a law are recognized."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.experiments.laws import PowerLaw, fit_parabola, fit_power_law


@given(st.floats(0.0, 1.0), st.floats(0.1, 3.0), st.floats(0.1, 1.5))
def test_a_power_law_is_found_again(limit: float, scale: float, exponent: float) -> None:
    law, sizes = PowerLaw(limit, scale, exponent), [17, 34, 68, 136, 273]
    fitted = fit_power_law(sizes, [law.at(n) for n in sizes])
    assert fitted.exponent == pytest.approx(exponent, rel=0.03)
    for n in (*sizes, 546):
        assert fitted.at(n) == pytest.approx(law.at(n), abs=0.002 * scale)


def test_the_law_of_a_rising_loss_is_constant() -> None:
    fitted = fit_power_law([1, 2, 4], [0.5, 0.6, 0.7])
    assert fitted.scale == 0
    assert fitted.at(8) == pytest.approx(0.6)


@given(st.floats(np.log(20), np.log(2000)), st.floats(0.01, 1.0))
def test_the_minimum_of_a_parabola_is_found_again(log_best: float, bend: float) -> None:
    sizes = [16, 64, 256, 1024, 4096]
    fitted = fit_parabola(sizes, [0.4 + bend * (np.log(size) - log_best) ** 2 for size in sizes])
    assert fitted.best == pytest.approx(np.exp(log_best), rel=1e-6)
    assert fitted.lowest == pytest.approx(0.4, abs=1e-9)
    assert fitted.at(100) == pytest.approx(0.4 + bend * (np.log(100) - log_best) ** 2)


@pytest.mark.parametrize(
    ("loss", "best"), [([0.9, 0.6, 0.5], 400), ([0.5, 0.6, 0.8], 100), ([0.5, 0.6, 0.52], 100)]
)
def test_without_a_minimum_inside_the_best_measured_size_is_taken(
    loss: list[float], best: float
) -> None:
    fitted = fit_parabola([100, 200, 400], loss)
    assert (fitted.best, fitted.bend) == (best, 0.0)


def test_laws_need_three_sizes() -> None:
    for fit in (fit_power_law, fit_parabola):
        with pytest.raises(ValueError, match="needs three different sizes"):
            fit([10, 20, 20], [0.5, 0.4, 0.4])

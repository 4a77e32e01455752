"""The comparison of speed: what it counts, and that its ratios are those of the rates."""

import sys
import time

import benchmark_speed
import pytest
import speed_peers
import speed_rates
from speed_rounds import interleaved

from seqmusic.corpus.dataset import Dataset
from seqmusic.errors import MissingExtraError
from seqmusic.model.settings import ModelSettings

TINY = ModelSettings(width=16, layers=1, heads=2)


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_ratios_are_taken_within_rounds_and_the_first_round_does_not_count() -> None:
    calls = []

    def method(name: str, seconds: float) -> dict[str, int]:
        calls.append(name)
        spin(seconds)
        return {"positions": [900, 1, 2, 3][(len(calls) - 1) // 2]}  # one number for each round

    rates = interleaved(
        {"ours": lambda: method("ours", 0.02), "other": lambda: method("other", 0.08)}, 0.0
    )
    assert calls == ["ours", "other"] * 4
    assert rates["ours"]["positions"]["per_second"] == pytest.approx(2 / 0.02, rel=0.15)
    assert rates["ours"]["positions"]["ratio"] == 1
    assert rates["other"]["positions"]["ratio"] == pytest.approx(4, rel=0.15)


def test_decoding_counts_the_positions_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed_rates, "SIZES", {"16x1": TINY})
    monkeypatch.setattr(speed_rates, "N_BARS", 2)
    one, sixteen = (
        speed_rates.decoding_rates("16x1", n, (), 0.0)["ours"]["positions"]["per_second"]
        for n in (1, 16)
    )
    assert sixteen > 2 * one > 0


def test_a_training_step_is_counted_in_positions_and_pieces(
    chorales: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed_rates, "SIZES", {speed_rates.MAIN_SIZE: TINY})
    rates = speed_rates.training_rates(chorales.works_in("train")[:16], (), 0.0)["ours"]
    assert 60 < rates["positions"]["per_second"] / rates["pieces"]["per_second"] < 1200


def test_ratios_in_bars_follow_from_positions() -> None:
    def rates(ratio: float) -> dict[str, dict[str, dict[str, float]]]:
        return {"rival": {"positions": {"ratio": ratio}}}

    sizes = speed_rates.SIZES
    report = {
        "decode": {size: {"batch1": rates(5.0), "batch16": rates(3.0)} for size in sizes},
        "training": {**rates(2.0), "rival on the grid": {"pieces": {"ratio": 6.0}}},
        "corpus": {"positions_per_bar": 16.0},
    }
    ratios = benchmark_speed.ratios(report, "rival")
    assert (ratios["decode_batch1"], ratios["decode_batch16"]) == (5, 3)
    assert ratios["decode_batch16_256x6"] == 3
    assert ratios["bars"] == 5 * 64 / 16  # a bar is 16 positions, and 64 cells
    assert (ratios["training"], ratios["training_pieces"]) == (2, 6)


def test_chorales_have_some_twenty_positions_per_bar(chorales: Dataset) -> None:
    figures = speed_rates.corpus_figures(chorales.works_in("train")[:40])
    assert 14 < figures["positions_per_bar"] < 26  # four voices in quarters, some of them divided
    assert figures["encode_notes_per_second"] > figures["decode_notes_per_second"] > 0


def test_unknown_and_missing_peers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="unknown rival 'magic'; one of transformers"):
        benchmark_speed.benchmark_speed(["magic"])
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        MissingExtraError,
        match=r"transformers is not installed; install it with: pip install 'seqmusic\[bench\]'",
    ):
        speed_peers.make_peer("transformers", ModelSettings(), 99)

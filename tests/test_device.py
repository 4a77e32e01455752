"""A device is chosen by its name, or as the best one present."""

import pytest
import torch

from seqmusic.errors import DeviceError
from seqmusic.training.device import choose_device, choose_precision

CPU = torch.device("cpu")


def test_the_processor_is_always_present() -> None:
    assert choose_device("cpu") == (CPU, "asked for")
    assert choose_precision("auto", CPU) == torch.float32
    assert choose_precision("bfloat16", CPU) == torch.bfloat16


def test_devices_that_are_not_present_are_refused() -> None:
    with pytest.raises(DeviceError, match="unknown device 'gpu'; one of auto, cpu, cuda, mps"):
        choose_device("gpu")
    absent = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(DeviceError, match=f"device {absent} is not there; use --device auto"):
        choose_device(absent)

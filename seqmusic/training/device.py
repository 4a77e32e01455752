"""Which device to compute on."""

from __future__ import annotations

import torch

from seqmusic.errors import DeviceError


def choose_device(name: str) -> tuple[torch.device, str]:
    """The device asked for, or with "auto" the best one present; and why, in words.

    Apple's GPU is taken only by name: for models of this size it is slower than the processor.

    Raises:
        DeviceError: the device is unknown or not there.
    """
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        name = "cuda" if present["cuda"] else "cpu"
        return (
            torch.device(name),
            "a GPU is present"
            if name == "cuda"
            else f"no GPU is present, {torch.get_num_threads()} threads",
        )
    if name not in present:
        raise DeviceError(f"unknown device {name!r}; one of auto, cpu, cuda, mps")
    if not present[name]:
        raise DeviceError(f"device {name} is not there; use --device auto or cpu")
    return torch.device(name), "asked for"


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """In what the matrices of training are multiplied: with "auto" bfloat16 on a GPU that has it, float32 on a processor."""
    if name == "auto":
        name = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]

"""The device and the precision to compute with."""

from __future__ import annotations

import torch

from seqmusic.errors import DeviceError


def choose_device(name: str) -> tuple[torch.device, str]:
    """The device of that name, or with "auto" the best one present; and the reason as a text.

    Apple's GPU must be requested: for models of this size it is slower than the processor.

    Raises:
        DeviceError: the device is unknown or not present.
    """
    has_gpu = torch.cuda.is_available()
    if name == "auto" and has_gpu:
        return torch.device("cuda"), "a GPU is present"
    if name == "auto":
        return torch.device("cpu"), f"no GPU is present, {torch.get_num_threads()} threads"
    present = {"cpu": True, "cuda": has_gpu, "mps": torch.backends.mps.is_available()}
    if name not in present:
        raise DeviceError(f"unknown device {name!r}; one of auto, cpu, cuda, mps")
    if not present[name]:
        raise DeviceError(f"device {name} is not there; use --device auto or cpu")
    return torch.device(name), "asked for"


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type of matrix products in training; "auto" is bfloat16 on a GPU that supports it.

    Args:
        name: "auto", "float32" or "bfloat16".
        device: of the training.
    """
    if name == "auto":
        is_supported = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if is_supported else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32

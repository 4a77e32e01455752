"""What alignment minimizes: DPO, DPOP or the likelihood of the best of n, with an anchor.

The anchor is the negative log-likelihood of training works: it keeps the model near Bach while the
preferences move it.

Source: R. Rafailov et al., Direct Preference Optimization, 2023, equation 7; A. Pal et al., Smaug:
Fixing Failure Modes of Preference Optimisation with DPO-Positive, 2024, equation 3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seqmusic.alignment.settings import BEST_OF_N, CAREFUL, AlignmentSettings


def preference_loss(
    settings: AlignmentSettings, chosen: Tensor, rejected: Tensor, n_events: Tensor
) -> Tensor:
    """The loss of P pairs, a scalar.

    Args:
        settings: of the objective.
        chosen: (P,) log-probability of each preferred candidate, less that under the reference.
        rejected: (P,) the same of the other one.
        n_events: (P,) composed events of the preferred candidates.

    >>> pair = torch.tensor([0.0]), torch.tensor([0.0]), torch.tensor([50])
    >>> round(preference_loss(AlignmentSettings(), *pair).item(), 4)  # log 2
    0.6931
    """
    if settings.objective == BEST_OF_N:
        return -(chosen / n_events).mean()
    margin = chosen - rejected
    if settings.objective == CAREFUL:
        margin = margin - settings.penalty * torch.relu(-chosen)
    return -F.logsigmoid(settings.beta * margin).mean()

"""A plain multilayer perceptron: the net for a row of numbers, and the yardstick for everything else.

Axis letters: `B` batch, `K` outputs.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from surefoot.models.convnet import start_small

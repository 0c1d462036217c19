"""ResNet-50 (He et al. 2016) as Caffe has it: strides on the first 1x1 convolutions of blocks, a pool that rounds up.

The names of its tensors are torchvision's.
"""

from __future__ import annotations

from torch import nn
from torchvision.models import ResNet, resnet50

STAGES = ("layer1", "layer2", "layer3", "layer4")
DILATIONS = {"layer3": 2, "layer4": 4}  # of the dilated one, whose features stay at stride 8


def resnet50_caffe(*, dilated: bool) -> ResNet:
    """Return a ResNet-50 with its classifier, of random weights.

    Parameters
    ----------
    dilated : bool
        Whether the last two stages keep stride 8, with dilations of 2 and 4.
    """
    network = resnet50(weights=None)
    network.maxpool = nn.MaxPool2d(3, 2, padding=0, ceil_mode=True)
    for stage in STAGES:
        for block in getattr(network, stage):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
            if dilated and stage in DILATIONS:
                block.conv1.stride = (1, 1)
                block.conv2.dilation = block.conv2.padding = (DILATIONS[stage], DILATIONS[stage])
                if block.downsample is not None:
                    block.downsample[0].stride = (1, 1)
    return network

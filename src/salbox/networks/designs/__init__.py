"""Published designs on any encoder of timm, to be trained: students like every other, with one map a head.

What follows the encoder is the published network's own. Where that one keeps its size by dilation, or reads layers
that only its own encoder has, features of strides 8, 16 and 32 are put side by side instead.
"""

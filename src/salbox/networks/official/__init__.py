"""Encoders as the published programs have them: their padding, pooling and names of weights, where timm's differ."""

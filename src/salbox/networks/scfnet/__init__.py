"""SCFNet, which finds salient objects (Zhang, Liang and Shi 2022)."""

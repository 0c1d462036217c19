"""TranSalNet (Lou, Lin, Marshall, Saupe and Liu 2022), on ResNet-50 and on DenseNet-161."""

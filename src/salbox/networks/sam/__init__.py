"""SAM (Cornia, Baraldi, Serra and Cucchiara 2018), on VGG-16 and on ResNet-50."""

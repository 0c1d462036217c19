"""What DeepGaze II and IIE share."""

"""Every visual-saliency model in one box."""

"""MSI-Net (Kroner, Senden, Driessens and Goebel 2020)."""

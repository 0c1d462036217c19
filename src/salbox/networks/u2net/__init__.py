"""U²-Net and U²-Net-p (Qin, Zhang, Huang, Dehghan, Zaiane and Jagersand 2020)."""

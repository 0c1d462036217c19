"""GCPANet (Chen, Xu, Cong and Huang 2020)."""

"""OpenSALICON (Thomas 2016) of SALICON (Huang, Shen, Boix and Zhao 2015)."""

"""The students of KDSalBox."""

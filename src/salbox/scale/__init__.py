"""Beyond one machine: the work of every verb on a Ray cluster, by the road that it takes on one."""

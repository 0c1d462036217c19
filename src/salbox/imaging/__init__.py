"""Pictures and maps, in and out: reading, scaling, post-processing, drawing, writing."""

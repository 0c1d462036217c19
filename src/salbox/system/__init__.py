"""The machine: threads, processes, memory, progress, and which code a result was computed by."""

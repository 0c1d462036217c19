"""`salbox app`: one file a page in `views/`, and what they share beside it. Everything else is done by other rooms."""

"""From what people looked at, or from object masks, to a network: `salbox train`."""

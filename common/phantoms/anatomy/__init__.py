"""A head grown from a seed: brain, cortex, tumour and what surrounds them."""

"""Journal, originals, the ledger and the views on it."""

"""Programs for those who work on the ledger; none of them is needed to run it."""

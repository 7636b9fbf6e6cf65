"""The ledger to a report model, to HTML, to PDF."""

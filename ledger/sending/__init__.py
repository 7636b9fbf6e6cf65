"""What is sent: the outbox, the mail server, receipts."""

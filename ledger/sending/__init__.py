"""What is sent: letters in words, messages in bytes, the mail server, the outbox folder.

Whoever delivers a mail journals first that it is tried, then what came of it: docs/decisions/0019.
"""

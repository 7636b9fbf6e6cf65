"""What comes in by itself: the inbox folder and the mailbox."""

"""What is done: plain Python, without Prefect."""

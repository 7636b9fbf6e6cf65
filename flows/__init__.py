"""When things run: the commands and the Prefect flows."""

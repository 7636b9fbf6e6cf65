"""Bytes to addressed cells, to located tables, to typed rows, each value with its cell."""

"""Rows, plan and history to accepted rows and findings."""

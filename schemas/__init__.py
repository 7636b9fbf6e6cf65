"""What must be true: columns, tables, findings, money and months. Imports nothing of ours."""

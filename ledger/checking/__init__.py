"""Rows, plan and history to accepted rows and findings.

Where a rule is:

========================  ======================================================================
submission.py             check_batch: the order of everything; F08, F12; which rows stand
matching.py               which plan item a row means: P01, P08
plan_columns.py           a submission against the plan: P02, P03, P04
schemas/frames.py         comparisons within a row, as pandera schemas: R03–R07, R10, C09
frames.py                 those schemas run over a batch, and their failures mapped to findings
rows.py                   what these findings say; R08 (an item twice), R09 (red without reasons)
lights.py                 the arithmetic of the lights, shared with the report
totals.py                 stated 小计 and 合计: T01–T03
history.py                against earlier months: H01–H06; against what is replaced: F15
plan.py, plan_*.py        the plan workbook itself: R01, R02, T01–T03, P05–P07, F16, F17
========================  ======================================================================

A new rule of a row is a line in schemas/rules.csv and rules_zh.csv, a test in schemas/frames.py,
and what it says in rows.py.
"""

"""What crosses the pipe is equal on the other side."""

from __future__ import annotations

import io
import pickle
from decimal import Decimal

from ledger.reading import wire
from ledger.reading.model import ReadRow, ReadTable, ReadValue, StatedTotal, Submission
from schemas.finding import finding
from schemas.month import Month, PartialDate


def test_a_submission_arrives_as_it_was_sent() -> None:
    values = {
        "seq": ReadValue(1, "A5", "1"),
        "start_actual": ReadValue(PartialDate(2018, 5), "L5", "5月", ("补上年份 2018",)),
        "progress_pct": ReadValue(Decimal("65"), "O5", "0.65"),
        "remarks": ReadValue(None),
        "invested_cum_fen": ReadValue(None, "R5", "约300", failed=True),
    }
    row = ReadRow(5, values, [finding("C10", "表1 R5：约300", cell="R5", row=5)], "F17")
    table = ReadTable("projects", "表1", {"seq": "A3"}, [row], [StatedTotal(6, "合计", (5,), values)])
    sent = Submission("长梁镇.xlsx", "0" * 64, "422822106", Month(2018, 9), {"月份": "2018年9月"}, [table])
    arrived = pickle.loads(pickle.dumps(sent, pickle.HIGHEST_PROTOCOL))
    assert arrived == sent
    assert type(arrived.tables[0].rows[0].values["seq"]) is ReadValue


def test_messages_follow_each_other() -> None:
    stream = io.BytesIO()
    for payload in (b"", b"one", b"x" * 100_000):
        wire.send(stream, payload)
    stream.seek(0)
    assert [wire.receive(stream) for _ in range(4)] == [b"", b"one", b"x" * 100_000, None]

"""What has arrived since an event: the months that a new run of theirs would show differently."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ledger.recording import tables
from ledger.recording.database import reading
from ledger.recording.ledger import Ledger
from schemas.month import Month


def months_touched(ledger: Ledger, after: int, until: Month) -> set[Month]:
    """The months up to `until` about which something was recorded after event `after`: a submission,
    or an adjusted plan that counts from that month on. A file that repeats what stands touches
    nothing; neither does a year's first plan, before which there was nothing to run."""
    sent, plans = tables.submissions, tables.plan_versions
    with reading(ledger.engine) as connection:
        found = set(
            connection.scalars(
                sa.select(sent.c.month)
                .where(sent.c.submission_id > after, sent.c.repeated.is_(False))
                .distinct()
            )
        )
        adjusted = sa.select(plans.c.effective_from).where(plans.c.event_seq > after, plans.c.version > 1)
        found |= set(connection.scalars(adjusted))
    return {month for month in found if month <= until}


def months_of(ledger: Ledger, seqs: Sequence[int]) -> set[Month]:
    """The months of the submissions that these events received; what waits for its year's plan has
    none yet."""
    sent = tables.submissions
    with reading(ledger.engine) as connection:
        asked = sa.select(sent.c.month).where(sent.c.submission_id.in_(seqs)).distinct()
        return set(connection.scalars(asked))

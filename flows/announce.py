"""Events for automations: received, returned, draft-ready, approved, sent. No Prefect is loaded.

An event goes to the Prefect server that runs for the home, where one does: a command that works
beside `ledger serve` is heard as well as a flow is. Nobody's name, address or file name is in it.
What can't be told is no fault: the ledger's own records say what happened.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import os
import urllib.request
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from flows import programmes, server
from ledger.errors import LedgerError
from ledger.home import Home
from schemas.month import Month

_LOG = logging.getLogger(__name__)
_PATIENCE = 3


class Event(StrEnum):
    """What happens to a month's report."""

    RECEIVED = "ledger.received"
    RETURNED = "ledger.returned"
    DRAFT_READY = "ledger.draft-ready"
    APPROVED = "ledger.approved"
    SENT = "ledger.sent"


def resource_id(home: Home, month: Month | None) -> str:
    """``ledger.programme.<the programme's name>.<month>``; without a month, the programme."""
    return ".".join(filter(None, ("ledger.programme", programmes.name_of(home), str(month or ""))))


def announce(home: Home, event: Event, month: Month | None, **payload: str | int | list[str]) -> bool:
    """Tell the home's Prefect server; whether it was told. Raises nothing."""
    try:
        api_url = os.environ.get("PREFECT_API_URL") or server.running(home)
        if api_url is None:
            return False
        request = urllib.request.Request(  # noqa: S310  the API's own address
            f"{api_url.rstrip('/')}/events",
            data=json.dumps([_body(home, event, month, payload)]).encode("utf-8"),
            headers={"Content-Type": "application/json", **_credentials()},
        )
        with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310
            return True
    except (OSError, ValueError, http.client.HTTPException, LedgerError) as error:
        _LOG.warning("event %s was not taken by the Prefect server: %s", event.value, type(error).__name__)
        return False


def _body(home: Home, event: Event, month: Month | None, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": event.value,
        "resource": {"prefect.resource.id": resource_id(home, month), "ledger.month": str(month or "")},
        "related": [],
        "payload": payload,
    }


def _credentials() -> dict[str, str]:
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if words := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}
    return {}

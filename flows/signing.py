"""签发 through the Prefect UI: a run that waits, suspended, for one answer to one draft.

While it waits nothing runs; it outlives restarts of the server and of `ledger serve`, which takes the
answered run up again. The answer is kept by Prefect under the draft's digest: after another draft the
form is asked anew. What is signed, and whether it may be, is `flows.approve`'s to say.

Importing this loads Prefect; only flows/ may.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from prefect import State, flow, get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment, flow_run
from prefect.states import Cancelled, Completed, Failed
from pydantic import Field

from flows import drafts, filled_in, posting, programmes
from flows.approve import Approval, approve_month
from flows.artifacts import link, plain
from flows.guarded import end_with_parent
from flows.status import month_status
from ledger.calendar import SHANGHAI
from ledger.errors import Busy, LedgerError
from ledger.home import Home
from schemas.month import Month

FLOW = "签发"
AGREED, REFUSED = "同意", "退回"
#: How long an answered form waits for a run of the month to end, and how often it looks.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 900.0, 3.0


class Signature(RunInput):
    """The form: who signs, what the answer is, a remark."""

    by: str = Field(
        title="签发人", description="姓名，印在月报上", min_length=1, max_length=40, pattern=r"\S"
    )
    decision: Literal["同意", "退回"] = Field(title="同意或退回")
    remark: str = Field(default="", title="意见", description="退回时写明要改什么", max_length=2000)
    send: bool = Field(default=False, title="签发后随即发送", description="按名单发给领导和有关单位")


def run_name() -> str:
    """``签发 2018-09``"""
    return f"{FLOW} {str(flow_run.parameters.get('month') or '').strip()}".strip()


@flow(name=FLOW, flow_run_name=run_name, persist_result=False, validate_parameters=False)
def signing(
    month: Annotated[
        str,
        Field(json_schema_extra={"title": "月份", "description": "送签哪个月的草稿，写成 2018-09 的样子。"}),
    ] = "",
) -> State[None]:
    """把一个月的草稿送签：在网页上填签发人和意见，同意后定版。送签期间不占机器，可以等几周。"""
    end_with_parent()
    try:
        chosen = filled_in.month(month)
        if chosen is None:
            return Failed(message="请填写月份，写成 2018-09 的样子。")
        return _sign(programmes.find(deployment.name), chosen)
    except LedgerError as problem:
        return Failed(message=problem.message)


def _sign(home: Home, month: Month) -> State[None]:
    draft = drafts.waiting(home, month)
    if draft is None:
        return _nothing_to_sign(home, month)
    me, others = _me_and_others(month)
    if me is not None and not _is_about_a_draft(me) and any(_waits_for(draft, run) for run in others):
        return Completed(name="Already asked", message="这份草稿已经在送签，请在那一份上签。")
    _tag(draft)
    form = Signature.with_initial_data(description=described(home, draft, *_asked_before(draft, me, others)))
    answer = suspend_flow_run(wait_for_input=form, key=tag_of(draft))
    if answer.decision == REFUSED:
        return Completed(name="Returned", message=f"没有签发，退回修改。意见：{answer.remark or '（未写）'}")
    try:
        approval = _approve(home, month, answer.by, answer.send)
    except LedgerError as refused:
        again = "已重新送签。" if keep_one(home, month, renew=True) else ""
        return Completed(name="Refused", message=f"没有签发：{refused.message}{again}")
    told = f"{month.chinese}月报第{approval.edition.number}版已签发"
    if answer.send:
        told = f"{told}；{_send(home, month)}"
    try:
        keep_one(home, month)  # another form of the month has nothing left to ask
    except Exception as error:  # noqa: BLE001  whatever it is, it is signed
        get_run_logger().warning("other forms not ended: %s", type(error).__name__)
    return Completed(name="Approved", message=told)


def _send(home: Home, month: Month) -> str:
    """Send what was signed; what came of it. It is signed all the same, and is tried again by the
    calendar at the next start."""
    try:
        return posting.send_edition(home, month, False, lambda _: None).sentence
    except LedgerError as problem:
        return f"没有发送：{problem.message}"


def _nothing_to_sign(home: Home, month: Month) -> State[None]:
    edition = month_status(home, month, None)["edition"]
    if edition is not None and (posted := posting.send_wished(home, month, lambda _: None)):
        # this run was killed between the signature and the sending
        told = f"{month.chinese}月报第{edition}版已签发；{posted.sentence}"
        return Completed(name="Approved", message=told)
    if edition is None:
        return Completed(name="No draft", message=f"{month.chinese}还没有草稿，先跑一次月报。")
    return Completed(name="Approved elsewhere", message=f"{month.chinese}第{edition}版已经签发，不用再签。")


def _approve(home: Home, month: Month, by: str, then_send: bool) -> Approval:
    """Approve, after a run of the month that is under way. Raises LedgerError as `approve_month`."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return approve_month(home, month, by, then_send=then_send)
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)


def described(home: Home, draft: drafts.Draft, before: datetime | None, same: bool) -> str:
    """What the form shows: where the month stands, what changed since it was last asked (`before`,
    and whether for the `same` draft), the pages."""
    month = draft.month
    report = f"reports/{month}/月报-{month}-草稿.pdf"
    lines = [plain(line) for line in drafts.changes(home, month, before, same=same)]
    return "\n".join(
        [
            f"**{month.chinese}月报草稿，请签发。**",
            "",
            *(f"- {line}" for line in lines),
            "",
            f"草稿：[{report.rpartition('/')[2]}]({link(home, report)})（`{report}`）",
            "",
            f"草稿校验：`{draft.short}`",
        ]
    )


def _asked_before(
    draft: drafts.Draft, me: FlowRun | None, others: list[FlowRun]
) -> tuple[datetime | None, bool]:
    """When an earlier form was shown for the month, by the runs before this one, and whether it was
    for this very draft. A run that never came to show one has no draft's tag."""
    if me is None:
        return None, False
    shown = [
        (moment, tag_of(draft) in run.tags)
        for run in others
        if run.created and me.created and run.created < me.created and _is_about_a_draft(run)
        if (moment := run.start_time)
    ]
    if not shown:
        return None, False
    newest, same = max(shown)
    return newest.astimezone(SHANGHAI).replace(microsecond=0), same


def _waits_for(draft: drafts.Draft, run: FlowRun) -> bool:
    """Whether `run` is a form for this very draft that nobody has answered."""
    return tag_of(draft) in run.tags and run.state is not None and not run.state.is_final()


def _me_and_others(month: Month) -> tuple[FlowRun | None, list[FlowRun]]:
    """This run, and the deployment's other signing runs of the month."""
    mine = flow_run.get_id()
    if mine is None:
        return None, []
    with get_client(sync_client=True) as client:
        me = client.read_flow_run(UUID(mine))
        return me, [run for run in _runs(client, month, me.deployment_id) if run.id != me.id]


def _is_about_a_draft(run: FlowRun) -> bool:
    return any(map(drafts.is_tag, run.tags))


def _runs(client: SyncPrefectClient, month: Month, deployment_id: UUID | None) -> list[FlowRun]:
    """The deployment's signing runs of a month, the newest first."""
    if deployment_id is None:
        return []
    found = client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
        flow_run_filter=FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id])),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=200,
    )
    return [run for run in found if filled_in.is_month(run.parameters.get("month"), month)]


def keep_one(home: Home, month: Month, *, renew: bool = False) -> bool:
    """See that one form waits for the draft there is, and none for another; whether one waits.

    Forms for older drafts are cancelled; where the month was signed by command or on another form, they end
    as `Approved elsewhere`. Without a deployment (`ledger serve` was never started here) nobody is
    asked. `renew` asks again for a draft that was answered and could not be signed; the answered
    run, which calls this, is left alone.
    """
    draft = drafts.waiting(home, month)
    mine = flow_run.get_id()
    with get_client(sync_client=True) as client:
        served = _deployment(client, home)
        if served is None:
            return False
        kept = False
        runs = _runs(client, month, served)
        for run in runs:
            if str(run.id) == mine or run.state is None or run.state.is_final():
                continue
            if draft is not None and tag_of(draft) in run.tags and not kept:
                kept = True
                continue
            if draft is not None and not _is_about_a_draft(run):
                continue  # just started by hand: it sees for itself whether there is something to ask
            over: State[Any] = (
                Completed(name="Approved elsewhere", message="本月已经签发，不用再签。")
                if draft is None
                else Cancelled(message="草稿已换，请看新的送签。")
            )
            client.set_flow_run_state(run.id, over, force=True)
        if draft is None or kept:
            return kept
        answered = any(
            tag_of(draft) in run.tags and run.state and run.state.name == "Returned" for run in runs
        )
        if answered and not renew:
            return False  # leadership has seen this very draft and sent it back
        client.create_flow_run_from_deployment(
            served,
            parameters={"month": str(month)},
            name=f"签发 {month}",
            tags=[str(month), tag_of(draft)],
        )
    return True


def tag_of(draft: drafts.Draft) -> str:
    """What a signing run is tagged with: the draft it is about."""
    return f"{drafts.DRAFT_TAG}{draft.short}"


def _tag(draft: drafts.Draft) -> None:
    """Tag this run with the draft it asks about: one started by hand, or that asks anew."""
    mine, tags = flow_run.get_id(), set(flow_run.tags)
    others = set(filter(drafts.is_tag, tags)) - {tag_of(draft)}
    if mine is None or (tag_of(draft) in tags and not others):
        return
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(mine), tags=sorted(tags - others | {str(draft.month), tag_of(draft)}))


def _deployment(client: SyncPrefectClient, home: Home) -> UUID | None:
    """The home's deployment of 签发 on this server, None where there is none."""
    name = programmes.name_of(home)
    found = client.read_deployments(flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])))
    return next((one.id for one in found if one.name == name), None)

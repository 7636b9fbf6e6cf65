"""What a killed service left behind in Prefect, settled before the next one begins.

Runs that Prefect takes for running have no process any more. One that somebody started by hand is
taken up again, for every step may be repeated, as is one that a stop cut short; one of the schedule is
ended, as are those that were missed while nothing ran: the calendar knows what is to be done
(flows/duties.py). Runs that wait for a signature go on waiting.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from uuid import UUID

from prefect import State
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import AwaitingRetry, Cancelled, Crashed

from flows import drafts

_LOG = logging.getLogger(__name__)
_PAGE = 200
#: A run that was begun so often and never ended is not begun again; a form for a signature is begun
#: once more with every answer and every newer draft, which is no failure.
_OFTEN_ENOUGH, _OFTEN_ENOUGH_ASKED = 3, 12


async def settle(client: PrefectClient, served: set[UUID], *, own: bool) -> None:
    """End the runs whose process is gone, and drop the missed ones of the schedule.

    `own` says that the server is this service's alone: then no run on it has a process yet, and
    deployments that are not `served` any more are forgotten. On a server that others use as well,
    only runs of the deployments `served`, and what these runs started, are touched.
    """
    if own:
        for deployment_id in await _all_deployments(client) - served:
            await client.delete_deployment(deployment_id)
            _LOG.info("deployment %s is not served any more", deployment_id)
    only = None if own else served
    ended = await _each(client, _in_states(only, StateType.RUNNING, StateType.PENDING, StateType.CANCELLING))
    if ended and not own:
        ended += await _each(client, _started_by(ended))
    for run in ended:
        by_hand = run.deployment_id in served and not run.auto_scheduled and run.parent_task_run_id is None
        asks = any(map(drafts.is_tag, run.tags))
        again = by_hand and run.run_count < (_OFTEN_ENOUGH_ASKED if asks else _OFTEN_ENOUGH)
        await client.set_flow_run_state(run.id, _taken_up() if again else _given_up(), force=True)
    missed = [run for run in await _each(client, _late(only)) if run.auto_scheduled]
    for run in missed:
        await client.set_flow_run_state(
            run.id, Cancelled(name="Missed", message="当时服务没有运行；错过的由补办一次办完。"), force=True
        )
    _LOG.info("settled: %d runs without a process, %d missed", len(ended), len(missed))


async def under_way(client: PrefectClient, served: set[UUID]) -> dict[UUID, State[None]]:
    """The state that each run is to have again where a stop cuts it short: those that somebody started
    go on at the next start; those that wait for a signature go on waiting, for Prefect's runner also
    cancels one whose process has not quite ended when it is stopped."""
    started = await _each(client, _in_states(served, StateType.RUNNING, StateType.PENDING))
    wanted = {run.id: _taken_up() for run in started if not run.auto_scheduled}
    for run in await _each(client, _in_states(served, StateType.PAUSED)):
        if run.state is not None:
            wanted[run.id] = run.state.fresh_copy()
    return wanted


async def put_back(client: PrefectClient, wanted: dict[UUID, State[None]]) -> None:
    """Give the runs that a stop has cut short these states."""
    for run_id, state in wanted.items():
        if (await client.read_flow_run(run_id)).state_type not in (StateType.COMPLETED, state.type):
            await client.set_flow_run_state(run_id, state, force=True)


def _taken_up() -> State[None]:
    return AwaitingRetry(scheduled_time=datetime.now(UTC), message="服务中断，重新启动后接着做。")


def _given_up() -> State[None]:
    return Crashed(message="服务中断，这次没有做完；到期的事由补办接着做。")


async def _all_deployments(client: PrefectClient) -> set[UUID]:
    found: set[UUID] = set()
    while page := await client.read_deployments(limit=_PAGE, offset=len(found)):
        found |= {deployment.id for deployment in page}
    return found


def _in_states(deployments: set[UUID] | None, *types: StateType) -> FlowRunFilter:
    """The runs in these states, of these deployments only where some are given."""
    wanted = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))
    if deployments is not None:
        wanted.deployment_id = FlowRunFilterDeploymentId(any_=list(deployments))
    return wanted


def _started_by(runs: list[FlowRun]) -> FlowRunFilter:
    wanted = _in_states(None, StateType.RUNNING, StateType.PENDING)
    wanted.parent_flow_run_id = FlowRunFilterParentFlowRunId(any_=[run.id for run in runs])
    return wanted


def _late(deployments: set[UUID] | None) -> FlowRunFilter:
    waiting = _in_states(deployments, StateType.SCHEDULED)
    before = {"before_": datetime.now(UTC)}
    waiting.expected_start_time = FlowRunFilterExpectedStartTime.model_validate(before)
    return waiting


async def _each(client: PrefectClient, wanted: FlowRunFilter) -> list[FlowRun]:
    """All runs of a filter, page by page."""
    found: list[FlowRun] = []
    while True:
        page = await client.read_flow_runs(flow_run_filter=wanted, limit=_PAGE, offset=len(found))
        found += page
        if len(page) < _PAGE:
            return found

"""The office's flows as they are served: each can be started by hand, most have a schedule.

Importing this loads Prefect; only flows/ may. What a flow does is in the modules without Prefect;
here it gets its form for clerks (titles, descriptions, choices), its name, and a state that says in
Chinese what came of it, or what of the form can't be: Prefect's own check would say it in English.
A flow started by its schedule does what the calendar says is due and not done (flows/duties.py): one
that comes late does what it should have done, one too many does nothing.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from prefect import State, flow, get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.runtime import deployment, flow_run
from prefect.states import Completed, Failed, Scheduled
from pydantic import Field

from flows import almanac, artifacts, duties, filled_in, posting, programmes, sent_back
from flows.delivering import Delivered
from flows.filled_in import ON_SCHEDULE
from flows.guarded import end_with_parent
from flows.monthly import MonthOutcome
from flows.opened import open_ledger
from flows.schedule import AFTERMATH_MONTHS, Duty, Kind, Timetable
from ledger import calendar, logs, notices
from ledger.calendar import SHANGHAI
from ledger.errors import Busy, LedgerError, disk_problem
from ledger.home import Home
from schemas.month import Month

#: When a run that found its month held by another comes again.
COME_AGAIN = timedelta(minutes=10)

_MONTH_PATTERN = rf"^(|{ON_SCHEDULE}|\d{{4}}-(0[1-9]|1[0-2]))$"


def _month_field(default: str) -> Any:
    """A month as a clerk fills it in; `default` says what a blank one means."""
    return Field(
        json_schema_extra={
            "title": "月份",
            "description": f"所报月份，写成 2018-09 的样子。不填：{default}。",
            "pattern": _MONTH_PATTERN,
        }
    )


LastMonth = Annotated[str, _month_field("上个月")]
ThisMonth = Annotated[str, _month_field("这个月")]
Units = Annotated[
    list[str],
    Field(json_schema_extra={"title": "单位", "description": "只出这些单位的。不选：全部单位。"}),
]
Again = Annotated[
    bool,
    Field(json_schema_extra={"title": "再试拒收的", "description": "对方邮件服务器拒收过的，也再发一次。"}),
]

#: What one piece of work came to: its state's name and a Chinese sentence.
Told = tuple[str, str]
Work = Callable[[Home, Month], Told]
DONE, DEGRADED, NOTHING, BUSY = "Completed", "Degraded", "Nothing", "Busy"


# --- the flows


def run_name() -> str:
    """``2018-09 预填表``; by its day where the calendar decides."""
    month = str(flow_run.parameters.get("month") or "")
    if month in ("", ON_SCHEDULE):
        month = _moment().astimezone(SHANGHAI).strftime("%Y-%m-%d")
    return f"{month} {flow_run.flow_name}"


@flow(name="预填表", flow_run_name=run_name, persist_result=False, validate_parameters=False)
def forms(month: ThisMonth = "", units: Units = []) -> State[None]:  # noqa: B006  Prefect's form
    """生成各单位的预填表，登记了邮箱的单位同时发去。已发过的不再发。"""
    return _do(
        "forms",
        Kind.FORMS,
        month,
        0,
        lambda home, chosen: _forms(home, chosen, filled_in.names("单位", units)),
    )


@flow(name="每月报告", flow_run_name=run_name, persist_result=False, validate_parameters=False)
def report(month: LastMonth = "") -> State[None]:
    """收件、核对、入账、退回、出报告草稿。可反复运行；没有变化的不重做。"""
    return _do("report", Kind.RUN, month, -1, _report)


@flow(name="催报", flow_run_name=run_name, persist_result=False, validate_parameters=False)
def remind(month: LastMonth = "") -> State[None]:
    """提醒没报的单位，把标出问题的表发回报送单位；每天每单位各至多一次，报了就不再催。"""
    return _do("remind", Kind.REMIND, month, -1, _remind)


@flow(name="发送", flow_run_name=run_name, persist_result=False, validate_parameters=False)
def send(month: LastMonth = "", retry_refused: Again = False) -> State[None]:
    """发送已签发的月报：收件名单上每人每版一次；可反复运行，只发没发成的。"""
    return _do(
        "send",
        None,
        month,
        -1,
        lambda home, chosen: _send(home, chosen, filled_in.switch("再试拒收的", retry_refused)),
    )


@flow(name="收件", flow_run_name=run_name, persist_result=False)
def fetch() -> State[None]:
    """看一遍收件文件夹（data/raw/inbox）和收件邮箱，新来的登记、核对、入账，出过的月报随即重出；每份只收一次。"""
    return guarded("fetch", _fetch)


@flow(name="补办", flow_run_name=run_name, persist_result=False)
def catch_up() -> State[None]:
    """把到期没有办的（停机时错过的）依次办一遍，每件只办一次。"""
    return guarded("catch-up", lambda home: _overdue(home, list(Kind)))


# --- what they do


def _forms(home: Home, month: Month, units: Sequence[str] = ()) -> Told:
    from flows.forms import write

    @task(name="写预填表", cache_policy=NO_CACHE, persist_result=False)
    def write_forms() -> int:
        return len(write(home, month, units))

    count = write_forms()
    get_run_logger().info("forms written month=%s count=%d", month, count)
    sentence = f"{month.chinese}预填表 {count} 份"
    if units:
        return DONE, sentence
    state, posted = _posted("发预填表", home, month, posting.send_forms)
    return state, f"{sentence}；{posted}"


def _remind(home: Home, month: Month) -> Told:
    with open_ledger(home) as ledger:
        ledger.take_in_plans(month)  # who owes what stands in the plan
    state, sentence = _posted("退回、催报", home, month, posting.remind)
    return state, f"{month.chinese}：{sentence}"


def _send(home: Home, month: Month, retry_refused: bool) -> Told:
    state, sentence = _posted(
        "发送", home, month, lambda *given: posting.send_edition(given[0], given[1], retry_refused, given[2])
    )
    return state, f"{month.chinese}月报：{sentence}"


def _send_signed(home: Home, month: Month) -> Told:
    """What was signed with the wish to send it at once, and a kill came between."""
    state, sentence = _posted(
        "发送", home, month, lambda *given: posting.send_wished(*given) or posting.posted(Delivered([]))
    )
    return state, f"{month.chinese}月报签发后随即发送：{sentence}"


def _posted(name: str, home: Home, month: Month, work: Callable[..., posting.Posted]) -> Told:
    """Mails as a task, whose table shows what became of each."""
    log = get_run_logger()
    done: list[posting.Posted | Exception] = []

    @task(name=name, task_run_name=f"{month} {name}", cache_policy=NO_CACHE, persist_result=False)
    def post() -> State[None] | None:
        try:
            done.append(work(home, month, lambda _: None))
        except Exception as error:  # noqa: BLE001  told by the flow: an operator's problem in a sentence
            done.append(error)
            return Failed(message=error.message if isinstance(error, LedgerError) else type(error).__name__)
        return None

    post(return_state=True)
    (outcome,) = done
    if isinstance(outcome, Exception):
        raise outcome
    log.info("mail month=%s count=%d all_done=%s", month, len(outcome.rows), outcome.all_done)
    if outcome.rows:
        key = artifacts.key_of(home, month, "mail")
        description = f"{month.chinese}{name}：{outcome.sentence}"
        create_table_artifact(table=outcome.rows, key=key, description=description)
    return DONE if outcome.all_done else DEGRADED, outcome.sentence


def _report(home: Home, month: Month) -> Told:
    return _told(_run(home, month))


def _run(home: Home, month: Month) -> MonthOutcome:
    from flows.on_prefect import monthly_flow

    log = get_run_logger()
    with duties.patiently_held(home, month):
        outcome = monthly_flow(home, month, progress=log.debug)
    log.info(
        "report month=%s state=%s received=%d recorded=%d",
        month,
        outcome.state,
        len(outcome.received),
        len(outcome.recorded),
    )
    return outcome


def _told(outcome: MonthOutcome) -> Told:
    return outcome.state, f"{Month.parse(outcome.standing.month).chinese}：{outcome.message}"


def _fetch(home: Home) -> Told:
    from flows.fetch import fetch as look

    log = get_run_logger()
    since = sent_back.begin(home)
    fetched = look(home, progress=log.debug)
    log.info(
        "fetched received=%d set_aside=%d waiting=%d problems=%d",
        len(fetched.received),
        len(fetched.set_aside),
        len(fetched.waiting),
        len(fetched.problems),
    )
    # what has to be mended goes back while the unit still has the file at hand
    sent_back.see_to(home, since, lambda month: _returned(home, month))
    _send_waiting(home)
    told = [f"收到 {len(fetched.received)} 份"] if fetched.received else []
    told += [f"另放 {len(fetched.set_aside)} 份，没有收"] if fetched.set_aside else []
    problems = list(fetched.problems)
    try:
        told += _again(home)
    except LedgerError as problem:
        problems.append(f"新收到的没有重出：{problem.message}")
    if problems:
        return DEGRADED, "；".join([*told, *problems])
    return (DONE, "；".join(told)) if told else (NOTHING, "没有新来的")


def _again(home: Home) -> list[str]:
    """Run again what something has come in for since the last run, so that the draft and the form
    that asks for its signature are of today. Where others are at work it is for the next look."""
    with contextlib.suppress(Busy), duties.calendar_held(home, wait=0):
        return [sentence for _, sentence in _ran(home, duties.again(home, lambda month: _run(home, month)))]
    return []


def _returned(home: Home, month: Month) -> Told:
    return _posted("退回", home, month, posting.send_back)


def _send_waiting(home: Home) -> None:
    """Once an hour, try again what a mail server put off, of the months of the last year."""
    moment = _moment().astimezone(SHANGHAI)
    timetable = Timetable.of(home)
    if moment.minute >= timetable.schedule.fetch_minutes:
        return
    this = Month.of(moment.date())
    for month in (this.plus(-step) for step in range(AFTERMATH_MONTHS + 1)):
        if timetable.has(month):
            with contextlib.suppress(Busy):  # whoever sends now sends these as well
                posting.send_waiting(home, month, get_run_logger().debug)


def _morning(home: Home, duty: Duty) -> Told:
    """The run of a month as the calendar has it: what has changed since the last morning; what was
    sent back goes to its units. The calendar that the UI shows is that of today."""
    timetable, moment = Timetable.of(home), _moment()
    create_table_artifact(
        table=almanac.coming(timetable, moment),
        key=almanac.key_of(home),
        description=almanac.sentence(timetable, moment),
    )
    told = _ran(home, duties.morning(home, duty, lambda month: _run(home, month)))
    return _together(told) if told else (NOTHING, f"{duty.chinese}：没有新收到的")


def _ran(home: Home, outcomes: Sequence[MonthOutcome]) -> list[Told]:
    """What runs came to; what has to be mended goes back to its units."""
    told: list[Told] = []
    for outcome in outcomes:
        told.append(_told(outcome))
        told.append(_returned(home, Month.parse(outcome.standing.month)))
    return told


#: How the calendar's duties are done; a run's is `_morning`.
WORK: dict[Kind, Work] = {Kind.FORMS: _forms, Kind.REMIND: _remind}


# --- by hand, or as the calendar says


def _do(name: str, kind: Kind | None, month: str, months_back: int, work: Work) -> State[None]:
    """Do `work` for the month given, for the calendar month so many months from now where none is,
    or what the calendar says is due."""
    if month == ON_SCHEDULE and kind is not None:
        return guarded(name, lambda home: _overdue(home, [kind]))

    def chosen(home: Home) -> Told:
        given = filled_in.month(month)
        return work(home, given or Month.of(_moment().date()).plus(months_back))

    return guarded(name, chosen)


def _overdue(home: Home, kinds: Sequence[Kind]) -> Told:
    """Do what is due and not done, one after the other. What fails is told; the rest is done."""
    log = get_run_logger()
    with duties.calendar_held(home):
        waiting = [duty for duty in duties.overdue(home, _moment()) if duty.kind in kinds]
        if not waiting:
            return NOTHING, "没有到期要办的"
        told: list[Told] = []
        failed: list[str] = []
        for duty in waiting:
            log.info("duty kind=%s month=%s day=%s", duty.kind, duty.month, duty.day)
            try:
                told.append(_one(home, duty))
            except Busy:
                raise
            except LedgerError as problem:
                failed.append(f"{duty.chinese}：{problem.message}")
        if failed:
            raise LedgerError("；".join([*failed, *(sentence for _, sentence in told)]))
        return _together(told)


def _one(home: Home, duty: Duty) -> Told:
    if duty.kind is Kind.RUN:
        return _morning(home, duty)
    assert duty.month is not None
    if duty.kind is Kind.SEND:
        return _send_signed(home, duty.month)
    seq = duties.last_event(home)
    told = WORK[duty.kind](home, duty.month)
    duties.mark_done(home, duty, seq)
    return told


def _together(told: Sequence[Told]) -> Told:
    """The most telling state and all sentences."""
    states = [state for state, _ in told]
    state = next((each for each in (DEGRADED, DONE) if each in states), NOTHING)
    return state, "；".join(sentence for _, sentence in told)


def _own_home() -> Home:
    """The home whose deployment this run is of."""
    return programmes.find(deployment.name)


def guarded(name: str, work: Callable[[Home], Told], find: Callable[[], Home] = _own_home) -> State[None]:
    """The state a flow ends in, its run in the home's log under `name`. Another's hold on the month is
    no failure: the run comes again."""
    end_with_parent()
    log = get_run_logger()
    try:
        home = find()
        with logs.task(home, f"flow {name}", flow_run=str(flow_run.id)) as noted:
            state, message = work(home)
            noted.note(state=state)
    except Busy as busy:
        log.info("busy, coming again in %d minutes", COME_AGAIN.total_seconds() // 60)
        return Completed(name=BUSY, message=f"{busy.message}{_come_again()}")
    except LedgerError as problem:
        log.error("not done: %s exit_code=%d", type(problem).__name__, problem.exit_code)  # noqa: TRY400
        return Failed(message=problem.message)
    except Exception as error:  # noqa: BLE001  where, not what: a message may quote what a unit wrote
        if isinstance(error, OSError) and (refused := disk_problem(error)):
            return Failed(message=refused.message)
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("unforeseen: %s\n%s", type(error).__name__, where)  # noqa: TRY400
        return Failed(message="程序内部出错，没有完成；请把运行记录发给维护人员。原始文件不受影响。")
    return Completed(name=state, message="；".join([message, *notices.take()]))


def _come_again() -> str:
    """Put the same run on the schedule again, and say when it comes."""
    if deployment.id is None:
        return ""
    moment = calendar.now() + COME_AGAIN
    with get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(
            deployment.id,
            parameters=flow_run.parameters,
            state=Scheduled(scheduled_time=moment),
            idempotency_key=f"again-{flow_run.id}",
        )
    return f"{moment:%H:%M} 自动再来一次。"


def _moment() -> datetime:
    """The moment that decides what is due: when the run was to start or, where that is later, now.
    A run is started some seconds early; one that comes late does all that has fallen due since."""
    scheduled = flow_run.scheduled_start_time
    return max(calendar.now(), scheduled) if scheduled else calendar.now()

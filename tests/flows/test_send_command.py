"""`ledger send`, `remind` and `status --deliveries` as a clerk runs them; no secret anywhere after it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ledger.home import Home
from tests.faulty import LEDGER, copied
from tests.mailing import issued_home, smtp
from tests.mailserver import certificate, mail_server

SECRET = "Tr0ub4dor-and-three"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return issued_home(tmp_path_factory.mktemp("base") / "home")


def run(home: Home, settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **settings, "LEDGER_HOME": str(home.root)}
    return subprocess.run(
        [LEDGER, *words], capture_output=True, text=True, env=environment, check=False, timeout=120
    )


def test_what_a_clerk_sees_and_nothing_secret_is_left(base: Home, tmp_path: Path) -> None:
    home = copied(base, tmp_path / "home")
    keys = certificate(tmp_path)
    with mail_server(password=SECRET, certificate=keys) as (box, port):
        settings = smtp(
            port, security="tls", host="localhost", user="office", password=SECRET, ca_file=keys[0]
        )
        wrong = run(home, settings | {"LEDGER_SMTP__PASSWORD": f"{SECRET}-old"}, "send", "2019-03")
        assert wrong.returncode == 1 and "不接受用户名或密码（535）" in wrong.stdout
        assert wrong.stdout.count("未发成，下次再发") == 3 and "Traceback" not in wrong.stderr
        box.script["leader@office.example"] = ["550"]
        refused = run(home, settings, "send", "2019-03")
        assert refused.returncode == 1 and "市结对合作领导小组  对方拒收：550 … says no" in refused.stdout
        assert "请核对 recipients.csv 中的邮箱" in refused.stdout
        again = run(home, settings, "send", "2019-03", "--retry-refused", "--json")
        assert again.returncode == 0, again.stdout + again.stderr
        (one,) = json.loads(again.stdout)["deliveries"]
        assert (one["state"], one["recipient_key"]) == ("sent", "leader")
        done = run(home, settings, "send", "2019-03")
        assert done.returncode == 0 and "名单上的都已发过" in done.stdout
        proved = run(home, settings, "verify", "--quick")
        assert proved.returncode == 0 and "没有提到" not in proved.stdout, "attachments are the journal's"
        early = run(home, settings, "send", "2019-04")
        assert early.returncode == 2 and "还没有签发，不能发送。请先运行 ledger run 2019-04" in early.stderr
        reminded = run(home, settings, "remind", "2019-03")
        assert reminded.returncode == 0 and "催报 6 封" in reminded.stdout
        shown = run(home, settings, "status", "2019-03", "--deliveries")
        assert shown.returncode == 0 and "市结对合作领导小组    第1版" in shown.stdout
        told = json.loads(run(home, settings, "status", "2019-03", "--deliveries", "--json").stdout)
        assert told["not_yet"] == [] and len(told["holders"]) == 3 and len(told["mails"]) == 9
        outputs = [wrong, refused, again, done, proved, early, reminded, shown]
    assert box.to()["leader@office.example"] == 1 and set(box.logins) == {"office"}
    for said in outputs:
        assert SECRET not in said.stdout + said.stderr
        assert "@office.example" not in said.stdout + said.stderr
    kept = [path for path in home.root.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" or path.parent == home.logs for path in kept), "logs were looked at"
    for path in kept:
        data = path.read_bytes()
        assert SECRET.encode() not in data, path
        if path.parent == home.logs:
            assert b"office.example" not in data and "领导小组".encode() not in data, path

"""A letter's link lets its reader in: the web process, as the installation starts it, logs none."""

import subprocess
import urllib.request
from pathlib import Path

from novapulse.places import Places
from novapulse.programs import all_programs
from tests.database import FreshDatabase
from tests.faults.processes import ROOT, ended_afterwards, wait_for
from tests.pages import answers, free_port


def test_the_web_process_writes_no_letters_link_into_its_log(
    fresh_database: FreshDatabase, redis_url: str, tmp_path: Path
) -> None:
    places = Places(data=tmp_path, servers=tmp_path, account=None)
    port = free_port()
    programs = all_programs(places=places, host="127.0.0.1", port=port)
    (web,) = (one for one in programs if one.name == "web")
    address, log = f"http://127.0.0.1:{port}", tmp_path / "web.log"

    with log.open("wb") as output:
        process = subprocess.Popen(
            web.command,
            cwd=ROOT,
            env=fresh_database.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        with ended_afterwards(process):
            wait_for(lambda: answers(address, process), f"the pages to answer, see {log}")
            with urllib.request.urlopen(f"{address}/invitation/only-the-reader-knows/") as page:
                seen = page.url, page.status

    assert seen == (f"{address}/invitation/", 200)
    assert "only-the-reader-knows" not in log.read_text()

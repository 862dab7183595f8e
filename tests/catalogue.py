"""The failure catalogue: fifty failures of other bots, and the tests that are named after their numbers.

A test belongs to a row when its name begins with the row's number: ``test_17_…``, ``test_25_26_…``, ``test_catalogue_17_…``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

TESTS = Path(__file__).parent
NAMED = re.compile(r"^\s*(?:async )?def (test_(?:catalogue_)?((?:\d{1,2}_)+)\w+)", re.MULTILINE)
ROWS = {
    1: ("chatwoot#15451", "crash after a send, retry: no second message"),
    2: ("openclaw#22780", "the reply is lost: one on the wire"),
    3: ("fazer-ai/agents#499", "a claim expires in the middle of a send: looked for first"),
    4: ("RasaHQ/rasa#3882", "a slow handler, delivered again: one reply"),
    5: ("slackapi/node-slack-sdk#2141", "eleven deliveries: one effect"),
    6: ("vercel/chat#667", "the first delivery was not kept: the retry is processed"),
    7: ("slackapi/python-slack-sdk#1701", "a half-open socket: reconnected, and told"),
    8: ("openclaw#102439", "one of two sockets is deaf: the sweep finds all"),
    9: ("hermes-agent#83662", "a hundred disconnects: no task or thread stays"),
    10: ("mautrix/meta#286", "an outage of 30 minutes: each mention once"),
    11: ("valory-xyz/IEKit#307", "a mention indexed late: the overlapping window finds it"),
    12: ("ace-attorney-twitter-bot#14", "700 mentions of backlog: all taken in, and told near 800"),
    13: ("chatwoot#4415", "401 while polling: told within 5 minutes, the cursor stays"),
    14: ("gptme-contrib#600", "two workers and one token: nothing to refresh"),
    15: ("tweepy#2080", "403 everywhere: one alert, no storm"),
    16: ("tweepy#2024", "a silent server: unknown within 30 seconds"),
    17: ("tweepy#2227", "a limit's reset in 14 minutes: the worker is free, due at the reset"),
    18: ("openclaw#97320", "an outage of 20 hours: one reply each, in order of deadline"),
    19: ("ascoderu/lokole#1", "four overlapping workers and one timer: one send"),
    20: ("apscheduler#606", "across a change of clocks: once, at the stated time"),
    21: ("node-schedule#431", "the clock jumps a day: no burst, a stall under a minute"),
    22: ("celery#2599", "a timer of days: fires once"),
    23: ("procrastinate#1408", "kill -9: another worker finishes"),
    24: ("celery#8030", "the database is cut off and comes back: work goes on"),
    25: ("discord.py#2151", "a loop raises: it runs again, and is told"),
    26: ("zammad#5513", "a loop dies: restarted"),
    27: ("hitobito#309", "one poisoned, a hundred good: a hundred done"),
    28: ("zammad#1866", "tries used up: FAILED in the thread, and told"),
    29: ("rasa#7887", "the customer writes as the check-back comes due: dropped"),
    30: ("rasa#9213", "two workers, two messages of one conversation: one after the other"),
    31: ("nextcloud/spreed#17226", "a pair delivered in reverse: the same end"),
    32: ("openfang#727", "eight fragments: one reply after quiet, within the window"),
    33: ("fazer-ai/agents#433", "an agent replied: the queued words are withdrawn"),
    34: ("papercups#299", "two agents answer at once: the second is asked"),
    35: ("agent-os#1543", "fifty threads at once: each reply in its own"),
    36: ("chatwoot#1073", "unmarked text or files in a thread: never leave Slack"),
    37: ("papercups#550", "an agent's mention or link: plain text, no ids"),
    38: ("zammad#406", "our own posts: nobody's complaint"),
    39: ("mstdn-ebooks#17", "an auto-responder: so many answers, then a human"),
    40: ("grammar-nazi-bot#221", "403 or 404: no retry, the agent is told"),
    41: ("botkit#455", "deleted before the send: not sent; edited: read again"),
    42: ("tweepy#1538", "150 CJK characters: split on graphemes"),
    43: ("bolt-js#2509", "50 kB and 2,000 turns: mirrored whole"),
    44: ("alertmanager#2857", "an unknown variable: refused at save; at run time the last good version"),
    45: ("gotosocial#2808", "a reader pins the log: told; a full disk: intake refuses, and resumes"),
    46: ("whiteout-project#100", "a restore: stale logs are removed"),
    47: ("botshot#57", "a writer locked for long: the others wait, nothing is lost"),
    48: ("capi-release#165", "a newer version beside an older one: refused or works, never corrupts"),
    49: ("opsdroid#743", "seven days: memory stays flat"),
    50: ("integrations/slack#197", "the desk's channel is archived: the fallback, and told"),
}
"""By number: where it was seen, and what happens here."""


def named_tests() -> Mapping[int, list[str]]:
    """The tests of each row, as ``file::name``."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, numbers in NAMED.findall(path.read_text()):
            for number in numbers.rstrip("_").split("_"):
                found[int(number)].append(f"{path.relative_to(TESTS.parent)}::{name}")
    return found


def table() -> str:
    """The catalogue as a Markdown table."""
    found = named_tests()
    lines = ["| # | Seen in | Here | Tests |", "|---|---|---|---|"]
    for number, (seen, here) in ROWS.items():
        files = sorted({test.split("::")[0].removeprefix("tests/") for test in found[number]})
        lines.append(f"| {number} | {seen} | {here} | {', '.join(f'`{file}`' for file in files)} |")
    return "\n".join(lines)

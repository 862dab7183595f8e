"""The strict local X: state and rules of the X API v2 below the client library.

clock = ManualClock()
x = XPlatform(clock, random.Random(seed))
brand = x.world.add_account("brand")            # with credentials
ada = x.world.add_user("ada")
mention = x.world.post(ada, "@brand my parcel is late")
x.faults.add(Fault(Kind.LOST_REPLY, "POST /2/tweets"))
async with XServer(x) as base_url: ...          # or x.handle(...) without sockets
assert [row.text for row in x.accepted] == [...]
"""

from tests.platforms.x.client import LocalSession, signed_headers
from tests.platforms.x.clock import ManualClock
from tests.platforms.x.faults import Fault, Kind
from tests.platforms.x.limits import Quota
from tests.platforms.x.model import (
    Accepted,
    Account,
    Credentials,
    DirectMessage,
    Media,
    Permission,
    Post,
    Response,
    User,
)
from tests.platforms.x.platform import XPlatform
from tests.platforms.x.server import XServer
from tests.platforms.x.settings import Settings
from tests.platforms.x.text import weighted_length

__all__ = [
    "Accepted",
    "Account",
    "Credentials",
    "DirectMessage",
    "Fault",
    "Kind",
    "LocalSession",
    "ManualClock",
    "Media",
    "Permission",
    "Post",
    "Quota",
    "Response",
    "Settings",
    "User",
    "XPlatform",
    "XServer",
    "signed_headers",
    "weighted_length",
]

"""Language models behind the OpenAI API: what is asked of them, what they answered, and servers of one's own.

What asks (asyncio, the client, servers) is imported when it is first used: most commands ask nobody. `openai` is
imported when the first question leaves the machine; a replay needs no network and no package.
"""

from typing import TYPE_CHECKING

from ..lazy import import_later
from .ending import ANSWERED, TRUNCATED, WITHOUT_CONTENT, drop_thoughts
from .limits import Limits
from .question import Answer, Question
from .usage import CostEstimate, Price, Usage, make_price

if TYPE_CHECKING:
    from . import server
    from .client import Client
    from .endpoint import Endpoint, find_endpoint, name_server
    from .store import Store
else:
    __getattr__ = import_later(
        __name__,
        {
            "": ("server",),
            "client": ("Client",),
            "endpoint": ("Endpoint", "find_endpoint", "name_server"),
            "store": ("Store",),
        },
    )

__all__ = [
    "ANSWERED",
    "TRUNCATED",
    "WITHOUT_CONTENT",
    "Answer",
    "Client",
    "CostEstimate",
    "Endpoint",
    "Limits",
    "Price",
    "Question",
    "Store",
    "Usage",
    "drop_thoughts",
    "find_endpoint",
    "make_price",
    "name_server",
    "server",
]

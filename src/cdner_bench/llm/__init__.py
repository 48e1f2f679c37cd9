"""Language models behind the OpenAI API: what is asked of them, what they answered, and servers of one's own.

`openai` is imported when the first question leaves the machine; a replay needs no network and no package.
"""

from . import server
from .client import Client, Limits
from .endpoint import Endpoint, endpoint
from .question import ANSWERED, TRUNCATED, WITHOUT_CONTENT, Answer, Question
from .store import Store
from .usage import Estimate, Price, Usage, stated_price

__all__ = [
    "ANSWERED",
    "TRUNCATED",
    "WITHOUT_CONTENT",
    "Answer",
    "Client",
    "Endpoint",
    "Estimate",
    "Limits",
    "Price",
    "Question",
    "Store",
    "Usage",
    "endpoint",
    "server",
    "stated_price",
]

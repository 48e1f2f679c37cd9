"""What lies behind the command line for others: runs and results from Python, results in the schemas of others."""

from .every_eval_ever import Evaluator, write_every_eval_ever
from .hub import Place, write_hub
from .runs import Runs, load_benchmark, run
from .tables import load_results

__all__ = [
    "Evaluator",
    "Place",
    "Runs",
    "load_benchmark",
    "load_results",
    "run",
    "write_every_eval_ever",
    "write_hub",
]

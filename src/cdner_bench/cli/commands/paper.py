"""`cdner-bench paper` recomputes a paper's numbers beside the printed ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..common import Disabled, PluginFiles, choose_benchmark, make_table, show

if TYPE_CHECKING:
    from rich.table import Table

    from ...papers import checks

WHAT = ("quantity", "")


def paper(plugin: PluginFiles = [], no_plugin: Disabled = []) -> int:
    """Recompute every number of the TOPT paper that needs no model, beside the printed one; 1 if one is off."""
    from ... import plugins
    from ...papers import TOPT, checks, load
    from ..display import open_bar

    topt = load(TOPT)
    benchmark = choose_benchmark("crossner")
    registry = plugins.discover(plugin, no_plugin)
    with open_bar() as titled:
        findings = list(checks.recompute(topt, benchmark, registry, titled("recomputing")))
    claims = list(checks.list_claims(topt, benchmark.name))
    show(_tabulate_numbers(findings), _tabulate_off(claims))
    print(f"{sum(c.matches for c in claims)} of {len(claims)} averages and repeated numbers agree with the others")
    broken = sum(not finding.holds for finding in findings) + sum(not claim.holds for claim in claims)
    verdict = "everything that should match does" if not broken else f"{broken} that should match do not"
    print(f"{len(findings)} rows of numbers recomputed, or said why not: {verdict}")
    return min(broken, 1)


def _tabulate_numbers(findings: Sequence[checks.Finding]) -> Table:
    """Two rows for each row of numbers: what came out, and what is printed."""
    domains = list(dict.fromkeys(domain for finding in findings for domain in finding.check.printed))
    shown = make_table("table", *WHAT, *domains, title="Numbers that need no model", right=len(domains), keep=WHAT)
    for finding in findings:
        check = finding.check
        values = [finding.format(d) if d in check.printed else "" for d in domains]
        printed = [check.format(check.printed[d]) if d in check.printed else "" for d in domains]
        shown.add_row(check.table, check.quantity, "recomputed", *values)
        shown.add_row("", finding.remark, "printed", *printed, end_section=True)
    return shown


def _tabulate_off(claims: Sequence[checks.Claim]) -> Table:
    """A row for each printed number that the others do not bear out."""
    headers = ("table", "what", "printed", "follows from the others", "why")
    shown = make_table(*headers, title="Averages and repeated numbers that are off", keep=headers[1:4])
    for claim in claims:
        if not claim.matches:
            values = [f"{claim.printed:.2f}", f"{claim.follows:.2f}"]
            shown.add_row(claim.table, claim.what, *values, claim.reason or "MISMATCH")
    return shown

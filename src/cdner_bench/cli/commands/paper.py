"""`cdner-bench paper`."""

from __future__ import annotations

from ..common import Disabled, PluginFiles, chosen, show, table


def paper(plugin: PluginFiles = [], no_plugin: Disabled = []) -> int:
    """Recompute every number of the TOPT paper that needs no model, beside the printed one; 1 if one is off."""
    from ... import plugins
    from ...papers import TOPT, load
    from ...papers import checks as numbers
    from ..display import bar

    topt = load(TOPT)
    benchmark = chosen("crossner")
    registry = plugins.discover(plugin, no_plugin)
    with bar() as titled:
        found = list(numbers.findings(topt, benchmark, registry, titled("recomputing")))
    domains = list(dict.fromkeys(domain for finding in found for domain in finding.check.printed))
    shown = table("table", "quantity", "", *domains, title="Numbers that need no model", right=len(domains))
    for finding in found:
        check = finding.check
        values = [finding.text(d) if d in check.printed else "" for d in domains]
        printed = [check.text(check.printed[d]) if d in check.printed else "" for d in domains]
        shown.add_row(check.table, check.quantity, "recomputed", *values)
        shown.add_row("", finding.remark, "printed", *printed, end_section=True)
    claims = list(numbers.claims(topt, benchmark.name))
    headers = ("table", "what", "printed", "follows from the others", "why")
    off = table(*headers, title="Averages and repeated numbers that are off")
    for claim in claims:
        if not claim.matches:
            values = [f"{claim.printed:.2f}", f"{claim.follows:.2f}"]
            off.add_row(claim.table, claim.what, *values, claim.reason or "MISMATCH")
    show(shown, off)
    print(f"{sum(c.matches for c in claims)} of {len(claims)} averages and repeated numbers agree with the others")
    broken = sum(not finding.holds for finding in found) + sum(not claim.holds for claim in claims)
    verdict = "everything that should match does" if not broken else f"{broken} that should match do not"
    print(f"{len(found)} rows of numbers recomputed, or said why not: {verdict}")
    return min(broken, 1)

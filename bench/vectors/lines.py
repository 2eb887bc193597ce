"""Lines of the report about two layouts: ours / the rival's = their ratio."""

from bench.report import Line

RECALL = 0.99


def recall(where: str, found: float, rival: float | None = None) -> Line:
    """The part of the true neighbours that were found, which has a budget everywhere."""
    beside = "" if rival is None else f", rival {rival:.3f}"
    return Line(f"recall@10, {where}", f"{found:.3f}{beside}", f">= {RECALL}", found >= RECALL)


def ratio(what: str, mine: float, rival: float, unit: str = "", most: float | None = None) -> Line:
    """Two figures, of which less is better where there is a budget."""
    digits = 2 if unit == "ms" else 0
    measured = f"{mine:,.{digits}f} / {rival:,.{digits}f} {unit} = {mine / rival:.3f}".replace("  ", " ")
    if most is None:
        return Line(what, measured, "", None)
    return Line(what, measured, f"<= {most:g}", mine / rival <= most)


def most(what: str, measured: float, unit: str, budget: float | None) -> Line:
    """A figure of ours that has a budget of its own."""
    said = f"{measured:,.0f} {unit}"
    return Line(what, said, "" if budget is None else f"<= {budget:g}", None if budget is None else measured <= budget)

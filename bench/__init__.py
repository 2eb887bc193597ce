"""`make bench`: figures against the budgets of docs/architecture.md, as counts or as ratios within one run."""

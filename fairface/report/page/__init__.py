"""One self-contained HTML page for each evaluation: what was measured, as text, tables, figures and a slider."""

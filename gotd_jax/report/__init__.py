"""Results for people: rows, tables beside the paper's, statistics, figures and the HTML page."""

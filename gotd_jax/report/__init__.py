"""What a run leaves for people: rows of results, tables beside the paper's, and where each number came from."""

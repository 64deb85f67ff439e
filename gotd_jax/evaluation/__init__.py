"""What was written: its toxicity, its form, its likelihood."""

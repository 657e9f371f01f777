"""What users pass: checked at the doors, then trusted."""

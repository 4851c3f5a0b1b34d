"""What each shipped bundle shows of patients whom it does not know."""

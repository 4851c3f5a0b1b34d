"""What tells images apart without a look at the lungs."""

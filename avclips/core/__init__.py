"""What every other package may use; it knows none of them."""

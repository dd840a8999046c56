"""What a user sees while a run goes on, and at its end."""

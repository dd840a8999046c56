"""How often a site may be asked, how long a refusal is waited for, and what a failed try counts."""

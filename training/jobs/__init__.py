"""Long work: its states, its lease, who runs it, and what runs."""

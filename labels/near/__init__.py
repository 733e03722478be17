"""Near-duplicates of held-out items: by the words of their rows and by their pictures."""

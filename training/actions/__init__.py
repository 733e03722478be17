"""The verbs of training: each checks, writes and returns, for admin, API and commands alike."""

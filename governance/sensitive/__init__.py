"""Finds personal data and secrets in text: detectors by name, and the masked evidence of each finding. No database inside."""

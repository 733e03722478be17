"""What the product takes, beside a reference of the same run: `make bench`, `python -m benchmarks --rows 1000`."""

# Before pyarrow, whose memory it chooses.
import workbench  # noqa: F401

"""distilabel on the same prompts and endpoint, in an environment of its own; prints `{"seconds", "rows"}`.

Run by `python -m benchmarks.generating distilabel`, or `PYTHON -m benchmarks.peer_distilabel ROWS URL` with the packages of
`benchmarks/distilabel.txt`. The pipeline is that of its documentation: rows, one generation step, batches as large as the
calls at once.
"""

import json
import sys
import time

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

CONCURRENCY = 64
PROMPT = "Board " + "0" * 64 + " of line SMT-1: peak 245.1 °C, 62.4 s above liquidus. Which defect? %d"


def main(rows: int, url: str) -> None:
    with Pipeline(name="bench") as pipeline:
        load = LoadDataFromDicts(data=[{"instruction": PROMPT % number} for number in range(rows)])
        llm = OpenAILLM(model="loopback", base_url=url, api_key="none")
        load >> TextGeneration(llm=llm, input_batch_size=CONCURRENCY)
    began = time.perf_counter()
    made = pipeline.run(use_cache=False)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "rows": sum(len(split) for split in made["default"].values())}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

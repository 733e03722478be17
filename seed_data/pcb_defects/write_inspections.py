"""Writes `inspections.csv`: what the line's sensors saw of each board.

Run: python seed_data/pcb_defects/write_inspections.py

Each defect leans on the readings that cause it in a real factory, with enough spread that no single column tells it.
"""

# ruff: noqa: S311 (seeded chance makes the same data each time; nothing here is secret)
from __future__ import annotations

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from floorplan import HEIGHT, WIDTH
from plan import DEFECTS, SEVERITIES, Board, boards

INSPECTIONS = Path(__file__).with_name("inspections.csv")
START = datetime(2026, 1, 12, 6, 4, 11, tzinfo=UTC)
# boards whose automatic optical inspection is wrong, as such machines are now and then
MISREAD = {9, 15, 22, 28, 35, 40, 44}

# sensor column → (usual value, spread, decimals)
SENSORS: dict[str, tuple[float, float, int]] = {
    "reflow_peak_temp_c": (245.0, 2.2, 1),
    "time_above_liquidus_s": (62.0, 3.0, 1),
    "solder_paste_volume_pct": (100.0, 5.0, 1),
    "placement_offset_um": (22.0, 8.0, 0),
    "placement_rotation_deg": (0.3, 0.2, 2),
    "vibration_rms_mm_s": (1.1, 0.25, 2),
    "humidity_pct": (42.0, 3.5, 1),
}
# defect → how far it moves a sensor from its usual value
CAUSES: dict[str, dict[str, float]] = {
    "scratch": {"vibration_rms_mm_s": 0.9},
    "solder_bridge": {"solder_paste_volume_pct": 22.0, "humidity_pct": 5.0},
    "missing_component": {"vibration_rms_mm_s": 0.8, "placement_offset_um": 25.0, "solder_paste_volume_pct": -9.0},
    "misalignment": {"placement_offset_um": 95.0, "placement_rotation_deg": 4.5, "vibration_rms_mm_s": 0.4},
    "cold_joint": {"reflow_peak_temp_c": -14.0, "time_above_liquidus_s": -19.0},
    "none": {},
}


def row_of(board: Board) -> dict[str, str]:
    """One inspection, every value as the text that goes into the CSV."""
    rng = random.Random(f"sensors {board.number}")
    taken = START + timedelta(minutes=17 * (board.number - 1), seconds=rng.randrange(240))
    row = {
        "image_id": board.image_id,
        "board_serial": board.serial.removeprefix("SN "),
        "line": rng.choice(("SMT-1", "SMT-2", "SMT-3")),
        "inspected_at": taken.isoformat(timespec="microseconds"),
    }
    for name, (usual, spread, decimals) in SENSORS.items():
        moved = CAUSES[board.defect].get(name, 0.0) * rng.uniform(0.6, 1.2)
        row[name] = f"{max(0.0, usual + moved + rng.gauss(0, spread)):.{decimals}f}"
    row["image_width_px"], row["image_height_px"] = str(WIDTH), str(HEIGHT)
    row["aoi_result"] = json.dumps(_aoi(board, rng), sort_keys=True, separators=(",", ":"))
    return row


def _aoi(board: Board, rng: random.Random) -> dict[str, str]:
    """The machine's own verdict: right for most boards, a miss or a false alarm for those in MISREAD."""
    if board.number not in MISREAD:
        return {"defect_type": board.defect, "severity": board.severity, "location": board.location}
    if board.defect in ("none", "solder_bridge"):
        other = rng.choice([d for d in DEFECTS.values() if d not in (board.defect, "none")])
        place = rng.choice(("top", "bottom")) + rng.choice(("_left", "_right")) + "_quadrant"
        return {"defect_type": other, "severity": SEVERITIES[0], "location": place}
    return {"defect_type": "none", "severity": "none", "location": "none"}


def main(path: Path = INSPECTIONS) -> None:
    """Write all fifty inspections, replacing the file."""
    rows = [row_of(board) for board in boards()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

"""The results of all folds, and the file from which a comparison goes on."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .job import Job


@dataclass
class Results:
    """What the models reached, fold by fold.

    Attributes
    ----------
    path : Path or None
        The file that keeps the results; it is written after each fold.
    records : list of dict
        A record for each fold of a model on a table: the fields of the job, the model, the fold, and what it found.
    versions, missing, failed : dict
        For each model: its version, the reason why it is left out, or its error by table.
    """

    path: Path | None
    records: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None, again: list[str]) -> "Results":
        """Return the results of a file if there is one, without those of the models in `again`."""
        if path is None or not path.exists():
            return cls(path)
        kept = json.loads(path.read_text(encoding="utf-8"))
        records = [record for record in kept["records"] if record["model"] not in again]
        return cls(path, records, {name: text for name, text in kept["versions"].items() if name not in again})

    def add(self, job: Job, model: str, fold: int, found: dict[str, float]) -> None:
        """Keep what a fold found."""
        self.records.append(asdict(job) | {"model": model, "fold": fold} | found)
        if self.path is not None:
            text = json.dumps({"versions": self.versions, "records": self.records}, indent=1)
            aside = self.path.with_name(self.path.name + ".new")
            aside.write_text(text + "\n", encoding="utf-8")
            aside.replace(self.path)

    def values(self, job: Job, model: str, what: str = "loss") -> dict[int, float]:
        """Return a value of each fold that has a result."""
        wanted = asdict(job) | {"model": model}
        return {record["fold"]: record[what] for record in self.records if wanted.items() <= record.items()}

"""Write `docs/schema/` anew: `python -m benchrig.schema`, in the project's environment."""

from pathlib import Path

from benchrig.schema.documents import write

write(Path(__file__).resolve().parents[2])

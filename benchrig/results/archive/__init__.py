"""A run as one file: `packing` writes it, `unpacking` checks it and puts the run into `reports/`.

The file is a tar archive in gzip's format. Its bytes follow from the run alone: a manifest with the size and the SHA-256 of
each file comes first, then the files in the order of their names, each with the same owner, mode and time. A reader knows
from the manifest what each header must be, and refuses an archive with any other: links, devices, sparse files, long names
of other formats and further entries are not read at all.
"""

from benchrig.results.archive.layout import ArchiveError
from benchrig.results.archive.packing import Packed, pack
from benchrig.results.archive.unpacking import Unpacked, unpack

__all__ = ["ArchiveError", "Packed", "Unpacked", "pack", "unpack"]

"""Months of the warehouse in an archive: `backup` writes them, `restore` reads them, `retention` drops old ones.

A month is a folder `2026-01/` with a Parquet file for each table that has rows of it, and `manifest.json`, which names
these files with their checksums. The name of a file has a part of its checksum, so a file never changes; a month
changes when its manifest is replaced, all at once. What a manifest does not name is nobody's.
"""

"""What can go wrong, each said in one clear sentence.

`PermanentError` will fail again in the same way, so a caller should not retry
it. `TransientError` may be gone at the next attempt. Both leave the database
exactly as it was.
"""

from __future__ import annotations


class EtlError(Exception):
    """Base of every error that `etl` raises on purpose."""


class PermanentError(EtlError):
    """The same input and settings will fail again: somebody has to change one of them."""


class TransientError(EtlError):
    """A later attempt may succeed without anybody changing anything."""


class SettingsError(PermanentError):
    """An environment variable is missing or has a value that means nothing."""


class SourceUnavailableError(TransientError):
    """The source of the raw file did not answer, or does not hold the date (yet)."""


class StorageError(TransientError):
    """A file store did not answer, or has no room."""


class MissingFileError(TransientError):
    """A file is not there (yet)."""


class ModelUnavailableError(TransientError):
    """A model did not answer."""


class ScoringError(PermanentError):
    """A model refuses what it was asked, or answers something else."""


class InputError(PermanentError):
    """The raw file as a whole cannot be trusted."""


class EmptyFileError(InputError):
    """The raw file holds no bytes, or a header and no row."""


class EncodingError(InputError):
    """The raw file is not UTF-8."""


class HeaderError(InputError):
    """The raw file's first line does not name the columns that are expected."""


class TruncatedFileError(InputError):
    """The raw file ends in the middle of a row."""


class TooLargeError(InputError):
    """The raw file is larger than the settings allow, packed or unpacked."""


class TooManyBadRowsError(InputError):
    """More rows are malformed than the settings allow."""


class LoadError(PermanentError):
    """The database refused the rows; the partition is as it was before."""


class DuplicateKeyError(LoadError):
    """Two rows have the same key; the partition is as it was before."""


class ArchiveError(PermanentError):
    """The archive, or what should replace a part of it, is not as it must be; the archive stays as it is."""


class ChangedMeanwhileError(PermanentError):
    """The database has other rows than those that were archived."""

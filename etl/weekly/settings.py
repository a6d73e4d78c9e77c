"""Every setting of `weekly_full_pipeline`, read from the environment when a task runs.

| variable             | default     | meaning                                                                     |
|----------------------|-------------|-----------------------------------------------------------------------------|
| `DATA_ROOT`          | (required)  | absolute path of a folder                                                   |
| `SHOP_STORAGE`       | `DATA_ROOT` | what holds `raw/`, `inbox/` and `reports/`: a folder, or `s3://bucket/…`    |
| `SHOP_SOURCE`        | `generator` | where a week's files come from, see below                                   |
| `SHOP_MAX_BAD_SHARE` | `0.1`       | largest share of rejected rows, 0 to 1, with which a week passes its checks |
| `SHOP_MAX_TEXT`      | `2000`      | bytes of a text in a row, up to 2,600; a row with a longer one is rejected  |
| `SHOP_HTTP_TIMEOUT`  | `30`        | seconds to wait for a connection, and for each next piece of a body         |

`SHOP_SOURCE` is one of

- `generator` or `generator:0.01`: a made-up shop, the same for a week on any machine (the full one of 60,495 records
  over half a year, or so many times as large), two rows of a hundred with a fault; its first week has all before it;
- an absolute path or `file://` URL, such as `/incoming/{ds}/{table}.csv`, or an `http://` or `https://` address;
- an `s3://bucket/path/{ds}/{table}.csv` URL, with the credentials of the Airflow connection `minio_default`.

`{table}` (`customers`, `products` or `orders`) and `{ds}`, the last day of the week, must be in a place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etl.errors import SettingsError
from etl.settings import number, place
from etl.storage import Storage, open_storage

MAX_TEXT_BYTES = 2_000


@dataclass(frozen=True)
class WeekSettings:
    """The environment variables above, checked and typed.

    Attributes:
        opened: How the storage at a URL is opened: who has credentials, says so here.
    """

    storage: str
    source: str = "generator"
    max_bad_share: float = 0.1
    http_timeout: float = 30.0
    max_text: int = MAX_TEXT_BYTES
    opened: Callable[[str], Storage] = open_storage

    @property
    def files(self) -> Storage:
        """What holds `raw/`, `inbox/` and `reports/`."""
        return self.opened(self.storage)

    @property
    def factor(self) -> float | None:
        """How large a generated shop is, or None for another kind of source."""
        kind, _, factor = self.source.partition(":")
        return float(factor or 1) if kind == "generator" else None


def read_week_settings(
    environ: Mapping[str, str] = os.environ, opened: Callable[[str], Storage] = open_storage
) -> WeekSettings:
    """Read and check the settings; `opened` opens the storage at a URL, if somebody has credentials for one of `s3://`.

    Raises:
        SettingsError: a variable is missing or its value means nothing.
    """
    source = environ.get("SHOP_SOURCE", "").strip() or "generator"
    somewhere = re.match(r"/|file:///|(s3|https?)://[^/{]", source)
    if not re.fullmatch(r"generator(:\d{1,4}(\.\d{1,4})?)?", source) and not (
        somewhere and "{table}" in source and "{ds}" in source
    ):
        raise SettingsError(
            f"SHOP_SOURCE={source!r} must be 'generator', 'generator:FACTOR', or an absolute path or a file:///, "
            "s3://, http:// or https:// URL with {table} and {ds} in it."
        )
    return WeekSettings(
        storage=place(environ, "SHOP_STORAGE"),
        source=source,
        max_bad_share=number(environ, "SHOP_MAX_BAD_SHARE", default=0.1, low=0, high=1),
        max_text=int(number(environ, "SHOP_MAX_TEXT", default=MAX_TEXT_BYTES, low=1, high=2_600, whole=True)),
        http_timeout=number(environ, "SHOP_HTTP_TIMEOUT", default=30, low=0.001, high=86_400),
        opened=opened,
    )

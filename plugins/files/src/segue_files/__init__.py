"""CSV and Parquet: a folder whose files are taken in as they come, and files of past events for ``segue import``."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_files.config import Config
from segue_files.folder import FolderSource
from segue_files.reading import SUFFIXES, read_file

__all__ = ["FILES", "Config", "FolderSource", "read_file", "segue_sources", "segue_vocabulary"]

FILES = SourceSpec(
    name="files",
    doc="CSV and Parquet files that are put into a folder",
    config=Config,
    open=FolderSource,
    fetches=True,
    reads=SUFFIXES,
    read=read_file,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [FILES]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]

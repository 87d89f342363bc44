"""The suite that every source passes which fetches."""

from __future__ import annotations

import msgspec

from segue.api import SourceSpec
from segue.testing import FetchingSourceConformance
from segue_files import FILES, Config


class TestFolder(FetchingSourceConformance):
    """A folder that files are put into."""

    fed = 0

    def make(self) -> tuple[SourceSpec, msgspec.Struct]:
        folder = self.folder / "drop"
        folder.mkdir(exist_ok=True)
        return FILES, Config(folder=str(folder), settle=0, every=0.05)

    def feed(self, count: int) -> None:
        self.make()
        rows = "".join(f"c{self.fed + number},{number}\n" for number in range(count))
        self.fed += count
        (self.folder / "drop" / f"{self.fed}.csv").write_text(f"user_id,size\n{rows}", encoding="utf-8")

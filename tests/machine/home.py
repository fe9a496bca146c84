"""Where the shop lives: one folder a process, as new at the start of every run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks import understand
from tasks.workplace import Workplace, workplace
from tests.story import COMPANY, fake_models, write_company
from voc.settings import get_settings
from voc.store.database import connect

POLICY = "follow_up: {cap_7_days: 2, cap_30_days: 3, reminder_after_days: 5}\n"
CAP_7_DAYS = 2
MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of its own is made in it)


class Home:
    """A folder with an empty, migrated database, and the workplace in it.

    The database is put back as a file, under the same engine: what SQLAlchemy has compiled
    stays compiled.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None)
        root = Path(self._folder.name)
        self._path, self._as_new = root / "home", root / "as_new"
        self._path.mkdir()
        policy = COMPANY.replace("follow_up: {cap_7_days: 9, cap_30_days: 99}\n", POLICY)
        write_company(self._path, policy)
        os.environ["VOC_HOME"] = str(self._path)
        for cached in (get_settings, workplace, connect, understand.unlearned_models):
            cached.cache_clear()
        self.place: Workplace = workplace()
        models = fake_models(self.place.company)
        setattr(understand, "build_models", lambda _company: models)  # noqa: B010
        self.place.engine.dispose()
        shutil.copytree(self._path, self._as_new)

    def make_as_new(self) -> Workplace:
        """Forget all that happened."""
        self.place.engine.dispose()
        shutil.rmtree(self._path)
        shutil.copytree(self._as_new, self._path)
        return self.place

"""What happened to each instance, in SQLite: a crash at any time loses nothing and repeats nothing that matters."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxr_common.errors import InputError
from cxr_tools.pacs.quiet import alias

#: Stations of an instance, in order: known by a query, on this disk, findings written, results in the PACS. What
#: cannot go on is failed (it may work another time) or refused (it never will: a lateral view).
STATES = ("found", "here", "inferred", "pushed", "failed", "refused")
#: Of the tables below; a ledger of another version is refused.
VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS instances (
    instance TEXT PRIMARY KEY, series TEXT NOT NULL, study TEXT NOT NULL, name TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', changed REAL NOT NULL);
CREATE TABLE IF NOT EXISTS results (
    file TEXT PRIMARY KEY, instance TEXT NOT NULL, state TEXT NOT NULL, changed REAL NOT NULL);
CREATE INDEX IF NOT EXISTS by_state ON instances (state);
"""


@dataclass(frozen=True)
class Entry:
    """One instance.

    Attributes:
        instance, series, study: its UIDs.
        name: its alias, which its files are called by.
        state: one of :data:`STATES`.
        error: why it failed or was refused.
    """

    instance: str
    series: str
    study: str
    name: str
    state: str
    error: str = ""


class Ledger:
    """The ledger of a work folder. Threads may share it.

    Args:
        folder: made where missing; the file is ``ledger.sqlite`` in it.

    Raises:
        InputError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._lock = folder, threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(folder / "ledger.sqlite", timeout=30, check_same_thread=False)
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):  # 0 is a new file, or one from before versions were noted
                raise InputError(f"the ledger is of version {version}", folder, "give another --work folder")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_TABLES)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")
            with self._change() as connection:
                fresh = ("alias_key", secrets.token_bytes(16))
                connection.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", fresh)
            (self._key,) = self._connection.execute("SELECT value FROM settings WHERE name = 'alias_key'").fetchone()
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"the ledger cannot be opened ({error})", folder, "give another --work folder") from error

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                with self._connection:
                    yield self._connection
            except sqlite3.Error as error:
                reason = f"the ledger cannot be read or written ({error})"
                raise InputError(reason, self.folder, "check space and rights, then run again") from error

    def name(self, uid: str) -> str:
        """The alias of an instance or study."""
        return alias(uid, self._key)

    def belongs_to(self, bundle: str) -> None:
        """Note which bundle the results are of.

        Args:
            bundle: its name, version, weights and outputs as one line.

        Raises:
            InputError: the results here are of another, so its findings would never be looked for.
        """
        with self._change() as connection:
            connection.execute("INSERT OR IGNORE INTO settings VALUES ('bundle', ?)", (bundle,))
            (known,) = connection.execute("SELECT value FROM settings WHERE name = 'bundle'").fetchone()
        if known != bundle:
            raise InputError(f"its results are of {known}, not of {bundle}", self.folder, "give another --work folder")

    def add(self, instance: str, series: str, study: str, state: str = "found") -> bool:
        """Note an instance; one that is there already stays as it is. Returns whether it is new."""
        row = (instance, series, study, self.name(instance), state, "", time.time())
        with self._change() as connection:
            return connection.execute("INSERT OR IGNORE INTO instances VALUES (?, ?, ?, ?, ?, ?, ?)", row).rowcount > 0

    def note(self, instance: str, state: str, error: str = "") -> None:
        """Note what became of an instance."""
        assert state in STATES, state
        with self._change() as connection:
            connection.execute(
                "UPDATE instances SET state = ?, error = ?, changed = ? WHERE instance = ?",
                (state, error, time.time(), instance),
            )

    def state(self, instance: str) -> str | None:
        """The state of an instance; None for one that is not known."""
        with self._change() as connection:
            row = connection.execute("SELECT state FROM instances WHERE instance = ?", (instance,)).fetchone()
        return row[0] if row else None

    def entries(self, states: Sequence[str] = STATES, limit: int = -1) -> list[Entry]:
        """Instances in some states, those that have waited longest first."""
        marks = ", ".join("?" * len(states))
        query = (
            "SELECT instance, series, study, name, state, error FROM instances"
            f" WHERE state IN ({marks}) ORDER BY changed, instance LIMIT ?"
        )
        with self._change() as connection:
            return [Entry(*row) for row in connection.execute(query, (*states, limit))]

    def inferred(self, instance: str, files: Iterable[Path]) -> None:
        """Note that the findings of an instance are written, and which files are to be pushed; all in one step."""
        now = time.time()
        with self._change() as connection:
            connection.execute("DELETE FROM results WHERE instance = ? AND state = 'waiting'", (instance,))
            for file in files:
                connection.execute(
                    "INSERT OR REPLACE INTO results VALUES (?, ?, 'waiting', ?)", (str(file), instance, now)
                )
            connection.execute(
                "UPDATE instances SET state = 'inferred', error = '', changed = ? WHERE instance = ?", (now, instance)
            )

    def waiting_results(self, instance: str) -> list[Path]:
        """Files of an instance that are not pushed yet."""
        query = "SELECT file FROM results WHERE instance = ? AND state = 'waiting' ORDER BY file"
        with self._change() as connection:
            return [Path(file) for (file,) in connection.execute(query, (instance,))]

    def pushed(self, file: Path) -> None:
        """Note that a file is in the PACS."""
        with self._change() as connection:
            connection.execute(
                "UPDATE results SET state = 'pushed', changed = ? WHERE file = ?", (time.time(), str(file))
            )

    def counts(self) -> dict[str, int]:
        """State -> number of instances, in the order of :data:`STATES`."""
        with self._change() as connection:
            found = dict(connection.execute("SELECT state, COUNT(*) FROM instances GROUP BY state"))
        return {state: found[state] for state in STATES if state in found}

    def summary(self) -> str:
        """The counts on one line."""
        return ", ".join(f"{number} {state}" for state, number in self.counts().items()) or "no instances"

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

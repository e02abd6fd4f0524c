"""Whose a run is: kept in its folder, as the hash of the key of the browser that started it.

Where others use the page, what is not a visitor's own looks as if it did not exist; a run that was shared on purpose
can be looked at by who has its link. On one's own machine every run is one's own.
"""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from json import JSONDecodeError

from ift.errors import RunError
from ift.runs.folder import OWNER, Run
from playground.settings import Mode, Settings
from playground.visitors import Visitor, current, new_key


@dataclass(frozen=True, slots=True)
class Owner:
    """What a run's owner.json holds. key: its owner's, hashed, or empty. share: the key in its link, or empty."""

    key: str = ""
    share: str = ""


class Ownership:
    """May the visitor who asks see a run, and may they change it?"""

    def __init__(self, settings: Settings) -> None:
        self._is_shared = settings.is_shared
        self._teacher = settings.teacher_key if settings.mode is Mode.CLASSROOM else ""

    def claim(self, run: Run) -> None:
        """A visitor has started a run; who sends no key owns nothing."""
        key = current().key
        _write(run, Owner(key=_hash(key) if key else ""))

    def may_see(self, run: Run) -> bool:
        """Whether the visitor may look at a run: its owner, who has its link, and a teacher."""
        if not self._is_shared:
            return True
        owner, visitor = _read(run), current()
        return self._owns(owner, visitor) or bool(owner.share and owner.share in visitor.shared)

    def may_change(self, run: Run) -> bool:
        """Whether the visitor may stop, resume, discard and score a run, and train on from it."""
        return not self._is_shared or self._owns(_read(run), current())

    def is_owner(self, run: Run) -> bool:
        """Whether the visitor started a run; a teacher may change all, and owns their own only."""
        if not self._is_shared:
            return True
        owner, key = _read(run), current().key
        return bool(key and owner.key) and hmac.compare_digest(owner.key, _hash(key))

    def require(self, run: Run) -> None:
        """The same, where it must be so.

        Raises:
            RunError: the visitor may only look at it.
        """
        if not self.may_change(run):
            fix = "Only the browser that started a run can stop, resume, discard or score it. Start one of your own."
            raise RunError("This run was shared with you to look at", where=run.id, fix=fix)

    def share(self, run: Run) -> str:
        """The key for a link by which others may look at a run; the same one each time.

        Raises:
            RunError: the run is somebody else's.
        """
        self.require(run)
        owner = _read(run)
        share = owner.share or new_key()
        _write(run, Owner(key=owner.key, share=share))
        return share

    def is_teacher(self) -> bool:
        """Whether the visitor has the teacher's key."""
        return self._owns(Owner(), current())

    def _owns(self, owner: Owner, visitor: Visitor) -> bool:
        if not visitor.key:
            return False
        is_teacher = bool(self._teacher) and hmac.compare_digest(self._teacher, visitor.key)
        return is_teacher or (bool(owner.key) and hmac.compare_digest(owner.key, _hash(visitor.key)))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()  # who reads the folder learns no key


def _read(run: Run) -> Owner:
    try:
        value = json.loads((run.path / OWNER).read_text(encoding="utf-8"))
        return Owner(**value) if all(isinstance(one, str) for one in value.values()) else Owner()
    except (OSError, JSONDecodeError, UnicodeDecodeError, TypeError, AttributeError):  # started elsewhere, or damaged
        return Owner()


def _write(run: Run, owner: Owner) -> None:
    run.write_json(OWNER, asdict(owner))

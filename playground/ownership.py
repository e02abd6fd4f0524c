"""Who may stop, resume, discard or score a run: on a public page only the browser that started it."""

import secrets

from ift.errors import RunError


class Ownership:
    """Run → the key of the browser that started it, as long as this server lives.

    public: whether strangers use the page; elsewhere everybody may do everything.
    """

    def __init__(self, *, public: bool) -> None:
        self._public = public
        self._owners: dict[str, str] = {}

    def claim(self, run_id: str, visitor: object) -> None:
        """A visitor has started a run; nobody has the key of a browser that sent none."""
        self._owners[run_id] = visitor if visitor and isinstance(visitor, str) else secrets.token_urlsafe()

    def forget(self, run_id: str) -> None:
        """The run is gone, and its name may be used again."""
        self._owners.pop(run_id, None)

    def may_change(self, run_id: str, visitor: object) -> bool:
        """Whether a visitor may stop, resume, discard and score a run."""
        owner = self._owners.get(run_id)
        return not self._public or (owner is not None and owner == visitor)

    def require(self, run_id: str, visitor: object) -> None:
        """The same, where it must be so.

        Raises:
            RunError: the run is somebody else's.
        """
        if not self.may_change(run_id, visitor):
            fix = "On a public page only the browser that started a run can stop, resume, discard or score it."
            raise RunError("This run is somebody else's", where=run_id, fix=fix)

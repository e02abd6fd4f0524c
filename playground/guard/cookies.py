"""The visitor's key and the runs shared with them, as cookies: every request carries them, an upload and a poll too."""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from playground.guard.refusals import Scope
from playground.settings import KEY, Settings
from playground.visitors import NOBODY, Visitor, new_key

NAME, SHARED = "ift-visitor", "ift-shared"
KEPT_S = 400 * 24 * 3600
"""As long as browsers keep a cookie."""
MOST_SHARED = 20


def read(scope: Scope) -> Visitor:
    """Who sends a request; `NOBODY` where it carries no key."""
    found = SimpleCookie()
    try:
        for name, value in scope["headers"]:
            if name == b"cookie":
                found.load(value.decode("latin-1"))
    except CookieError:
        return NOBODY
    key = found[NAME].value if NAME in found else ""
    if not KEY.fullmatch(key):
        return NOBODY
    shared = found[SHARED].value.split(".") if SHARED in found else []
    return Visitor(key, tuple(one for one in shared[:MOST_SHARED] if KEY.fullmatch(one)))


def arrive(scope: Scope, visitor: Visitor, settings: Settings) -> tuple[Visitor, list[bytes], bool]:
    """A visitor opens the page: with a key of their own, and with what its address gives.

    `?shared=KEY` shows a run that somebody shared, `?teacher=KEY` makes this browser the teacher's.

    Returns:
        visitor: as they are from now on.
        cookies: headers that tell the browser.
        moved: whether the address held a key, which is then to be taken out of it.
    """
    asked = parse_qs(scope["query_string"].decode("latin-1"))
    teacher, share = (asked.get(name, [""])[-1] for name in ("teacher", "shared"))
    key, shared = visitor.key or new_key(), visitor.shared
    if settings.teacher_key and hmac.compare_digest(teacher.encode(), settings.teacher_key.encode()):
        key = settings.teacher_key  # any other would let a stranger's link choose a visitor's key
    if KEY.fullmatch(share):
        shared = tuple(dict.fromkeys((share, *shared)))[:MOST_SHARED]
    cookies = [_cookie(scope, NAME, key)]
    if shared != visitor.shared:
        cookies.append(_cookie(scope, SHARED, ".".join(shared)))
    return Visitor(key, shared), cookies, bool(teacher or share)


def _cookie(scope: Scope, name: str, value: str) -> bytes:
    headers = dict(scope["headers"])
    is_https = scope.get("scheme") == "https" or headers.get(b"x-forwarded-proto", b"").startswith(b"https")
    # a Space is shown within another site's page, where only a partitioned cookie is kept
    how = "SameSite=None; Secure; Partitioned" if is_https else "SameSite=Lax"
    return f"{name}={value}; Max-Age={KEPT_S}; Path=/; HttpOnly; {how}".encode()

"""The page's own scripts and styles, under an address that changes whenever one of them does."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ift.roles import Role

PREFIX = "ift-web"
ENTRY = "main.js"
STYLES = "frame"
"""The folder of the styles that are served as files; the others are Gradio's `css`, which it changes."""
TYPES = {".js": "text/javascript", ".css": "text/css"}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class Scripts:
    """All modules and styles of a folder, and plain scripts of others, as they were when the server started.

    Modules import each other by relative paths, so one version in the folder's address is in the address of each:
    a browser may keep them forever, and an update of the page never meets an older module. They are served from
    memory, since files that change while the server runs would mix two versions under one address.

    libraries: scripts from elsewhere, served beside them by their file names; the page loads them when it needs them.
    """

    def __init__(self, folder: Path, libraries: Sequence[Path] = ()) -> None:
        found = [*sorted(folder.rglob("*.js")), *sorted((folder / STYLES).glob("*.css"))]
        self.sources = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
        self.modules = [name for name in self.sources if name.endswith(".js") and name != ENTRY]
        self.styles = [name for name in self.sources if name.endswith(".css")]
        self.sources |= {path.name: path.read_bytes() for path in libraries}
        digest = hashlib.sha256()
        for name, source in self.sources.items():
            digest.update(f"{name} {len(source)}\n".encode() + source)
        self.version = digest.hexdigest()[:12]

    def route(self) -> Route:
        """For the server: any of them, by its path."""
        return Route(f"/{PREFIX}/{{version}}/{{path:path}}", self._serve)

    def head(self) -> str:
        """HTML for the page's head: the styles, the roles that the scripts read, the modules, all asked for at once."""
        roles = [{"label": role.label, "title": role.title, "letter": role.letter} for role in Role]
        data = json.dumps(roles).replace("<", r"\u003c")  # nothing in it may end the script
        styles = "".join(f'<link rel="stylesheet" href="{self.address(name)}">' for name in self.styles)
        preloads = "".join(f'<link rel="modulepreload" href="{self.address(name)}">' for name in self.modules)
        entry = f'<script type="module" src="{self.address(ENTRY)}"></script>'
        return f'<script type="application/json" id="ift-roles">{data}</script>{styles}{preloads}{entry}'

    def address(self, name: str) -> str:
        """Where one of them is, from the page's own address on."""
        return str(PurePosixPath(PREFIX, self.version, name))

    async def _serve(self, request: Request) -> Response:
        path = request.path_params["path"]
        source = self.sources.get(path)
        if source is None:
            return Response(status_code=404)
        # the type is said here: some Windows machines call a .js file plain text, which a browser runs as no module
        kept = FOREVER if request.path_params["version"] == self.version else {"Cache-Control": "no-store"}
        return Response(source, media_type=TYPES[PurePosixPath(path).suffix], headers=kept)

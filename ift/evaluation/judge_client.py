"""The way to a judge: Ollama's protocol and OpenAI's. Every request ends in time, whatever the other side does."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Self

import httpx2

from ift.errors import InputError
from ift.evaluation.judge import CONTEXT, SEED, TEMPERATURE, Judge, api_key
from ift.options import quote

ATTEMPTS = 3
PAUSE_S = 0.5
"""Before the second attempt; twice as long before each further one."""
CHECK_S = 10.0
LOOK_S = 0.5
"""Between two looks at whether somebody wants an end, while a judge thinks."""
LONGEST_REPLY = 1 << 20
"""Bytes: a grade has three digits, and whoever sends more than this is no judge."""
MOST_CONTEXT = 1 << 17
BYTES_PER_TOKEN = 3


class JudgeError(InputError):
    """A judge can't be reached, or did not give a verdict."""


class _PassingError(Exception):
    """A failure that may be over at the next attempt."""


class JudgeClient:
    """A connection to a judge; to be used in a `with` statement."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        key = api_key(judge.url) if judge.api == "openai" else ""
        self._key = key
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._runner = asyncio.Runner()
        self._client = httpx2.AsyncClient(
            base_url=judge.url, headers=headers, timeout=None, follow_redirects=False, trust_env=not _is_here(judge.url)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()  # what is still under way is given up

    def check(self) -> None:
        """Make sure that the judge is there, before anything is answered for it.

        Raises:
            JudgeError: nobody answers at the address, or the model is not there.
        """
        path = "/api/tags" if self.judge.api == "ollama" else "/v1/models"
        try:
            status, body = self._runner.run(asyncio.wait_for(self._get(path), CHECK_S))
        except (httpx2.HTTPError, _PassingError, TimeoutError) as error:
            fix = "Start it with `ollama serve`, or check judge_url." if self.judge.api == "ollama" else ""
            fix = fix or "Check judge_url, and that the server is running."
            raise JudgeError("The judge does not answer", where=self.judge.url, fix=fix) from error
        if status in (401, 403):
            fix = "Set IFT_JUDGE_KEY in the environment; OPENAI_API_KEY is sent to api.openai.com only."
            raise JudgeError("The judge refuses the key", where=self.judge.url, fix=fix)
        names = _model_names(body) if status == 200 else []
        if self.judge.api == "ollama" and status == 200 and not _has(names, self.judge.model):
            there = f" There: {', '.join(sorted(names)[:8])}." if names else ""
            fix = f"Fetch it with `ollama pull {self.judge.model}`.{there}"
            raise JudgeError(f"Ollama has no model {quote(self.judge.model)}", where=self.judge.url, fix=fix)

    def replies(self, prompts: Iterable[str], look: Callable[[], None]) -> Iterator[tuple[int, str | JudgeError]]:
        """Each prompt's number and the judge's whole reply, or why there is none, in the order in which they come.

        As many prompts as the judge may be asked at a time are under way, and one is taken only when its turn has come.
        `look` is called at least every `LOOK_S`, and may raise.
        """
        waiting = enumerate(prompts)
        at_work: dict[asyncio.Task[str | JudgeError], int] = {}
        while True:
            for number, prompt in islice(waiting, self.judge.parallel - len(at_work)):
                at_work[self._runner.get_loop().create_task(self._ask(prompt))] = number
            if not at_work:
                return
            done, _ = self._runner.run(asyncio.wait(at_work, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED))
            for task in done:
                yield at_work.pop(task), task.result()
            look()  # a reply that has come is handed out first: nothing is asked in vain

    async def _ask(self, prompt: str) -> str | JudgeError:
        # a server may take what comes at a time one after the other, so that each waits for all of them
        limit_s = self.judge.limit_s * self.judge.parallel
        reason = ""
        try:
            async with asyncio.timeout(limit_s):
                for attempt in range(ATTEMPTS):
                    if attempt:
                        await asyncio.sleep(PAUSE_S * 2 ** (attempt - 1))
                    try:
                        return await self._post(prompt)
                    except (_PassingError, httpx2.TransportError) as error:
                        reason = str(error) if isinstance(error, _PassingError) else _reason(error)
        except JudgeError as error:
            return error
        except TimeoutError:
            reason = reason or f"no verdict within {limit_s:g} s"
        return JudgeError(self._without_key(reason))

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text

    async def _get(self, path: str) -> tuple[int, bytes]:
        async with self._client.stream("GET", path) as reply:
            return reply.status_code, await _body(reply)

    async def _post(self, prompt: str) -> str:
        path = "/api/chat" if self.judge.api == "ollama" else "/v1/chat/completions"
        async with self._client.stream("POST", path, json=self._request(prompt)) as reply:
            body = await _body(reply)
        if reply.status_code == 429 or reply.status_code >= 500:
            raise _PassingError(f"status {reply.status_code}{_said(body)}")
        if reply.status_code != 200:
            raise JudgeError(self._without_key(f"status {reply.status_code}{_said(body)}"))
        return _ollama_text(body) if self.judge.api == "ollama" else _openai_text(body)

    def _request(self, prompt: str) -> dict[str, object]:
        asked = {"model": self.judge.model, "messages": [{"role": "user", "content": prompt}]}
        if self.judge.api == "openai":
            return {**asked, "seed": SEED, "temperature": TEMPERATURE}
        return {**asked, "options": {"seed": SEED, "temperature": TEMPERATURE, "num_ctx": context_for(prompt)}}


def context_for(prompt: str) -> int:
    """Tokens of context that a prompt needs: the book's 2,048, doubled until it fits, as Ollama cuts what does not."""
    needed, size = len(prompt.encode()) // BYTES_PER_TOKEN + 64, CONTEXT
    while size < min(needed, MOST_CONTEXT):
        size *= 2
    return size


async def _body(reply: httpx2.Response) -> bytes:
    body = b""
    async for chunk in reply.aiter_bytes():
        body += chunk
        if len(body) > LONGEST_REPLY:
            raise _PassingError("the reply does not end")
    return body


def _ollama_text(body: bytes) -> str:
    """The text of a stream: one JSON object a line, the last one with `done`."""
    text, done = "", False
    for line in body.splitlines():
        if line.strip():
            part = _json(line)
            if part.get("error"):
                raise _PassingError(f"Ollama reports: {quote(str(part['error']))}")
            message = part.get("message")
            text += str(message.get("content") or "") if isinstance(message, dict) else ""
            done = done or part.get("done") is True
    if not done:
        raise _PassingError("the reply was cut off")
    return text


def _openai_text(body: bytes) -> str:
    choices = _json(body).get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str):
        raise _PassingError("the reply has no text")
    return content


def _json(text: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise _PassingError("the reply is no JSON") from None
    if not isinstance(value, dict):
        raise _PassingError("the reply is no JSON object")
    return value


def _said(body: bytes) -> str:
    """What a server said beside its status, shortened."""
    text = " ".join(body.decode("utf-8", "replace").split())
    return f": {quote(text)}" if text else ""


def _reason(error: httpx2.TransportError) -> str:
    if isinstance(error, httpx2.ConnectError):
        return "nobody answers at the address"
    return "the connection broke"


def _model_names(body: bytes) -> list[str]:
    """Of Ollama's `/api/tags`; what else answers there has none."""
    try:
        models = _json(body).get("models")
    except _PassingError:
        return []
    return [str(one.get("name")) for one in models if isinstance(one, dict)] if isinstance(models, list) else []


def _has(names: list[str], model: str) -> bool:
    """`llama3` is `llama3:latest`."""
    return model in names or f"{model}:latest" in names


def _is_here(url: str) -> bool:
    """Whether an address is this machine's own: no proxy of the environment is on the way there."""
    return httpx2.URL(url).host in ("localhost", "127.0.0.1", "::1")

"""The options of an evaluation: declared once, for the command line, the page's form and the Python API."""

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ift.data.templates import load_template
from ift.evaluation.judge import APIS, Judge, address, load_rubric
from ift.options import Option, check_options, declare, document, options_of, show
from ift.runs.scores import Decoding, SampledRecords


@document
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """Which held-out records are answered, how, by which checkpoint, and who judges the answers.

    Raises:
        ConfigError: an option has a value outside its limits.
    """

    sample: int | None = declare(
        None,
        Option(
            "Answer only so many held-out records, drawn by seed",
            minimum=1,
            unset="all of them",
            example="50",
            aliases=("limit", "max_samples", "num_samples"),
        ),
    )
    checkpoint: int | None = declare(
        None,
        Option(
            "Step of the checkpoint to score", minimum=0, unset="the newest", example="100", aliases=("step", "ckpt")
        ),
    )
    template: str = declare(
        "",
        Option("Prompt template of the questions: a name or a text file", unset="the run's own", example="phi3"),
    )
    max_new_tokens: int | None = declare(
        None,
        Option(
            "Tokens that an answer may have",
            minimum=1,
            unset="a quarter of the model's context",
            example="64",
            aliases=("max_tokens", "max_length"),
        ),
    )
    temperature: float = declare(
        0.0,
        Option(
            "How far the choice of tokens is left to chance",
            minimum=0,
            maximum=100,
            special={0: "the likeliest token"},
            example="0.7",
        ),
    )
    top_k: int | None = declare(
        None, Option("Draw from the N likeliest tokens only", minimum=1, unset="all of them", example="40")
    )
    top_p: float | None = declare(
        None,
        Option(
            "Draw from the fewest tokens that have this probability together",
            above=0,
            maximum=1,
            unset="all of them",
            example="0.9",
        ),
    )
    seed: int = declare(
        0, Option("Seed of the sample and of the choice of tokens", minimum=0, maximum=2**32 - 1, example="0")
    )
    judge: str = declare(
        "",
        Option("Model that also grades the answers, by its server's name for it", example="llama3", unset="no judge"),
    )
    judge_api: str = declare("ollama", Option("Protocol of the judge's server", choices=APIS))
    judge_url: str = declare(
        "",
        Option(
            "Address of the judge's server; its key comes from IFT_JUDGE_KEY in the environment",
            example="http://localhost:11434",
            unset="http://localhost:11434 for ollama, https://api.openai.com for openai",
        ),
    )
    judge_prompt: str = declare(
        "",
        Option("Prompt for the judge: a text file, or the text itself with {{answer}}; empty: the book's"),
    )
    judge_pairs: bool = declare(
        False, Option("The judge also compares both answers to a record, blind and in both orders")
    )
    judge_timeout_s: float = declare(
        60.0,
        Option(
            "Seconds for one verdict, retries included; so many times longer as requests are made at a time",
            above=0,
            maximum=3600,
            example="60",
        ),
    )
    judge_parallel: int = declare(4, Option("Requests to the judge at a time", minimum=1, maximum=64, example="4"))

    def __post_init__(self) -> None:
        check_options(self)
        _ = self.chosen_judge

    @property
    def chosen_judge(self) -> Judge | None:
        """Who judges; None: nobody.

        Raises:
            ConfigError: its address or its prompt can't be used.
        """
        if not self.judge:
            return None
        url, rubric = address(self.judge_url, self.judge_api), load_rubric(self.judge_prompt)
        limits = self.judge_timeout_s, self.judge_parallel
        return Judge(self.judge, self.judge_api, url, rubric, self.judge_pairs, *limits)

    def template_source(self) -> str:
        """The text of the questions' template; empty: the run's own.

        Raises:
            InputError: it can't be read.
        """
        return load_template(self.template).source if self.template else ""

    def decoding(self, n_positions: int) -> Decoding:
        """How the answers are picked, for a model with this context; what can't matter is left out."""
        limit = self.max_new_tokens or n_positions // 4
        if self.temperature == 0:
            return Decoding(limit)
        return Decoding(limit, self.temperature, self.top_k, self.top_p, self.seed)

    def choose(self, records: Sequence[int]) -> tuple[tuple[int, ...], SampledRecords | None]:
        """The records to answer, in the data set's order, and how they were drawn; None: these are all."""
        if self.sample is None or self.sample >= len(records):
            return tuple(records), None
        chosen = random.Random(self.seed).sample(list(records), self.sample)
        return tuple(sorted(chosen)), SampledRecords(len(records), self.seed)

    @property
    def given(self) -> dict[str, object]:
        """By name, those that are not the defaults; a judge's prompt as its text."""
        values = dataclasses.asdict(self)
        if self.judge_prompt and (judge := self.chosen_judge):
            values["judge_prompt"] = judge.rubric
        options = options_of(type(self))
        return {name: value for name, value in values.items() if value != options[name].default}

    def arguments(self) -> list[str]:
        """The same as words of the command line, for a child process."""
        return [word for name, value in self.given.items() for word in (f"--{name}", show(value))]

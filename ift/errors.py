"""Everything `ift` raises on purpose.

IftError                what, where and how to fix it
├── InputError          the user can mend it: the command line exits with 2
│   ├── DataError       a record or a data file
│   ├── TemplateError   a prompt template, with line and column
│   ├── ConfigError     a hyper-parameter or an option
│   ├── DownloadError   a file that did not arrive whole
│   ├── ModelError      a model's name, folder or weights
│   └── RunError        a run folder
└── TrainingError       training could not continue: exits with 1
    └── GradientError   the weights are good, the step that follows would not be
"""


class IftError(Exception):
    """What went wrong, where, and how to fix it; each one sentence or empty."""

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(what)

    def __str__(self) -> str:
        """All three parts in one line, whatever a user's file put into them."""
        where = f" ({self.where})" if self.where else ""
        fix = f" {self.fix}" if self.fix else ""
        return " ".join(f"{self.what.rstrip('.')}{where}.{fix}".split())


class InputError(IftError):
    """Something the user gave can't be used."""


class DataError(InputError):
    """A data file or one of its records can't be used."""


class TemplateError(InputError):
    """A prompt template can't be used; `line` and `column` count from 1, and are 0 where there is no text at all."""

    def __init__(self, what: str, *, line: int, column: int, fix: str = "") -> None:
        self.line, self.column = line, column
        super().__init__(what, where=f"line {line}, column {column}" if line else "", fix=fix)


class ConfigError(InputError):
    """An option has a value that makes no sense, or makes none together with another."""


class DownloadError(InputError):
    """A file could not be fetched whole."""


class ModelError(InputError):
    """A model can't be found or its files can't be read."""


class RunError(InputError):
    """A run folder is missing, taken or damaged."""


class TrainingError(IftError):
    """Training could not continue."""


class GradientError(TrainingError):
    """A step's gradient is not finite; the weights are those before it, whose loss was."""


def is_out_of_memory(error: BaseException) -> bool:
    """Python's own, CUDA's (a RuntimeError of this name) and the CPU allocator's (a plain RuntimeError)."""
    named = type(error).__name__ in ("MemoryError", "OutOfMemoryError")
    return named or "can't allocate memory" in str(error) or "out of memory" in str(error)

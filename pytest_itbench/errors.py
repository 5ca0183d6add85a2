"""Every exception that pytest-itbench raises, as one tree.

::

    ItbenchError
    ├── UserMistake            something the user wrote is wrong; becomes pytest.UsageError (exit 4)
    │   ├── ScenarioMistake    a scenario file: path, line, problem
    │   ├── BrokenScenario     all the mistakes of one scenario directory
    │   ├── OptionMistake      an option, ini key or environment variable
    │   ├── UnknownName        a model, environment or reporter that nobody registered
    │   ├── ServerFailed       a model's server, which the run starts, ended or does not answer
    │   └── MissingExtra       a name whose Python packages are not installed
    ├── HostStopped            the candidate stopped a host; the attempt is missed
    │   └── OverLimit          the candidate used more than its machines may
    └── AttemptInvalid         an attempt could not be judged, and the model is not to blame
        ├── EngineTrouble      the container engine or the cluster failed
        ├── NoRoom             no place is large enough for the scenario's machines
        ├── ImageTrouble       an image could not be pulled or built
        ├── NotReady           setup, trigger or a readiness probe failed
        ├── PreconditionBroken the validators already pass on the untouched environment
        ├── BudgetSpent        the run may not ask any more
        ├── ProviderTrouble    the model's provider failed
        └── ValidatorBroken    the scenario's validator cannot run
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class ItbenchError(Exception):
    """Base of all errors of this package."""


class UserMistake(ItbenchError):
    """Something the user wrote is wrong; its text is one line that says what to do."""


class ScenarioMistake(UserMistake):
    """A scenario directory is wrong.

    Attributes:
        path: the file at fault.
        line: its line, counted from 1; None when the file as a whole is at fault.
        problem: what was seen and what was expected.
    """

    def __init__(self, path: Path, line: int | None, problem: str) -> None:
        self.path, self.line, self.problem = path, line, problem
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {problem}")


class BrokenScenario(UserMistake):
    """Everything that is wrong with one scenario directory, a line for each mistake."""

    def __init__(self, mistakes: Sequence[ScenarioMistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


class OptionMistake(UserMistake):
    """An option has a value that cannot be used."""


class UnknownName(UserMistake):
    """A name was asked for that no entry point registers."""

    def __init__(self, what: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown {what} {name!r}; known: {', '.join(known) or 'none'}")


class MissingExtra(UserMistake):
    """A name is known, but the packages behind it are not installed."""

    def __init__(self, what: str, extra: str, missing: str) -> None:
        super().__init__(f"{what} needs the Python package {missing!r}: pip install 'pytest-itbench[{extra}]'")


class ServerFailed(UserMistake):
    """A model's server that the run started ended or gave no answer; holds the end of its log."""


class HostStopped(ItbenchError):
    """A host that ran before the candidate was applied does not run any more: the candidate's doing."""


class OverLimit(HostStopped):
    """A host was ended because the candidate used more than it may."""


class AttemptInvalid(ItbenchError):
    """An attempt could not be judged, through no fault of the model.

    Attributes:
        message: what happened, with what was seen; may have several lines.
        hint: what to do next; may be empty.
        cause: what kind of trouble it was, in a word or two; what has the same cause is retried only so often.
        retries: how often the attempt is made again for this cause, in an environment of its own.
        pause: seconds to wait before that.
    """

    kind = "harness"

    def __init__(self, message: str, *, hint: str = "", cause: str = "", retries: int = 0, pause: float = 0.0) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint
        self.cause, self.retries, self.pause = cause or self.kind, retries, pause


class EngineTrouble(AttemptInvalid):
    """The container engine refused or dropped a request."""

    kind = "engine"


class NoRoom(AttemptInvalid):
    """The scenario's machines may use more than any place has."""

    kind = "engine"


class ImageTrouble(AttemptInvalid):
    """An image could be neither pulled nor built."""

    kind = "image"


class NotReady(AttemptInvalid):
    """The environment did not reach the state from which an attempt starts."""

    kind = "not ready"


class PreconditionBroken(AttemptInvalid):
    """The validators pass although nothing was done: the scenario would measure nothing."""

    kind = "precondition"


class BudgetSpent(AttemptInvalid):
    """The run's budget is spent, so that the model was not asked."""

    kind = "not run"


class ProviderTrouble(AttemptInvalid):
    """The model's provider could not be reached, refused, or sent nonsense.

    Attributes:
        temporary: the same request may succeed later.
        limited: the provider was asked too much at once.
        retry_after: seconds after which the provider wants to be asked again; None when it does not say.
    """

    kind = "provider"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        temporary: bool = False,
        limited: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.temporary, self.limited, self.retry_after = temporary or limited, limited, retry_after


class ValidatorBroken(AttemptInvalid):
    """A scenario's validator cannot be loaded or run."""

    kind = "validator"

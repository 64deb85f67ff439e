"""`Method`: the record by which a method is described, once, in its own file."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Set
from pathlib import Path

from gotd_jax import ot
from gotd_jax.checksums import sha256
from gotd_jax.methods.options import Option, keywords_of, options_of
from gotd_jax.methods.problem import GIVEN_AS, Selection, check_given
from gotd_jax.methods.ranking import VALUED, with_noise

# The parts of a problem that may change a selection, besides the number of candidates.
READABLE = frozenset({"target", "embeddings", "domains", "home", "away", "toxicity", "losses", "reference"})
RANKING = options_of(with_noise)


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to select, and all that a config, a command line, a plan or a stage on disk has to know about it.

    Attributes:
      select: `select(problem, budget, *, seed, **options)`; its other keyword-only parameters are the method's options, each
        annotated with bool, int, float or str (or also None) and with a default.
      reads: the parts of a problem, of `READABLE`, that its selection depends on.
      may_read: those that it depends on as well where they are given, and does without where they are not.
      solves: whether it solves a transport problem; then it has the options of `gotd_jax.ot.solve` as well.
      selects: whether it selects anything.
      valued: the candidates to which it gives a value: 'all', the 'chosen' alone, or 'none'; where any have one, it has the
        options of `gotd_jax.methods.ranking.with_noise` too.
    """

    select: Callable[..., Selection]
    reads: Set[str] = frozenset()
    may_read: Set[str] = frozenset()
    solves: bool = False
    selects: bool = True
    valued: str = "all"

    def __post_init__(self):
        if self.valued not in VALUED:
            raise ValueError(f"The method {self.name} values {self.valued!r}. It can be: {', '.join(VALUED)}.")
        if taken := self.own_options.keys() & RANKING.keys():
            raise ValueError(f"The method {self.name} has an option {min(taken)}, as all methods with values. Rename its own.")
        if unknown := (self.reads | self.may_read) - READABLE:
            raise ValueError(
                f"The method {self.name} reads {', '.join(sorted(unknown))}. A method can read: {', '.join(sorted(READABLE))}."
            )
        for name, parameter in keywords_of(self.select).items():
            if name not in self.own_options or parameter.default is parameter.empty:
                raise ValueError(
                    f"The option {name} of the method {self.name} needs a default, and to be annotated with bool, int, float "
                    "or str, or with one of them and None."
                )

    @property
    def name(self) -> str:
        """Its name, which is its file's."""
        return self.select.__module__.rpartition(".")[2]

    @property
    def identity(self) -> str:
        """Its identity in the settings of a stage: its name and, for a file outside this package, the file's hash."""
        file = Path(inspect.getfile(self.select))
        return self.name if file.parent == Path(__file__).parent else f"{self.name} {sha256(file)}"

    @functools.cached_property
    def own_options(self) -> dict[str, Option]:
        """The options that no other method has, by name."""
        return options_of(self.select)

    @property
    def options(self) -> dict[str, Option]:
        """All options by name: with the transport solver's where it solves a problem, and the ranking's where it has values."""
        of_solver = options_of(ot.solve) if self.solves else {}
        return self.own_options | of_solver | (RANKING if self.valued != "none" else {})

    @property
    def blind(self) -> bool:
        """Whether it selects the same for every task: it reads no target, and no embeddings, which a task may have trained."""
        return not self.reads & {"target", "embeddings"}

    def check_given(self, given: Set[str], remedies: Mapping[str, str] = GIVEN_AS) -> None:
        """Raises ValueError unless all that it reads, and a problem may be without, is `given`; see `problem.check_given`."""
        check_given(self.reads, given, reader=f"The method {self.name}", remedies=remedies)

    def parse(self, given: Mapping[str, object]) -> dict[str, bool | int | float | str | None]:
        """Returns the options `given`, each of its own type; a string is read as on a command line.

        Raises:
          ValueError: an option does not exist, or does not take its value.
        """
        parsed = {}
        for name, value in given.items():
            if name not in self.options:
                has = ", ".join(self.options) or "none"
                raise ValueError(f"The method {self.name} has no option {name!r}. It has: {has}.")
            try:
                parsed[name] = self.options[name].parse(value)
            except ValueError as error:
                raise ValueError(f"The option {name} of the method {self.name}: {error}") from None
        return parsed

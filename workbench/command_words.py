"""What a person types, in the form that the command line takes; and what it answers to a wrong word."""

from collections.abc import Sequence


def by_name(pairs: Sequence[str]) -> dict[str, str]:
    """Return the values of `NAME=VALUE` pairs by their names.

    Raises:
        ValueError: one without a value.
    """
    if bare := [pair for pair in pairs if "=" not in pair]:
        raise ValueError(f"Parameter {bare[0]!r} has no value; give -p {bare[0]} VALUE.")
    return dict(pair.split("=", 1) for pair in pairs)


def join_pairs(arguments: list[str]) -> list[str]:
    """Return the arguments with `-p NAME VALUE` as `-p NAME=VALUE`, the form that typer knows."""
    joined, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        joined.append(word)
        if word in ("-p", "--parameter") and rest:
            name = rest.pop(0)
            joined.append(f"{name}={rest.pop(0)}" if "=" not in name and rest else name)
    return joined


def is_expected(error: Exception) -> bool:
    """Return whether an error tells a person what to mend, rather than us."""
    # By name, for what defines them takes seconds to import.
    names = {"NotebookError", "NonFiniteLoss", "OmegaConfBaseException", "YAMLError"}
    return isinstance(error, (ValueError, OSError)) or any(
        kind.__name__ in names for kind in type(error).__mro__
    )


def explain(error: Exception) -> str:
    """Return the message of an error on one line."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, OSError) and error.filename:
        text = f"{text}: {error.filename}"
    return " ".join(text.split()) or type(error).__name__

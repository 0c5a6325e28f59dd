"""Checks the words of the command line before a command reads them, and reports what cannot be meant.

- An empty text is not given. A variable of a pipeline that is not defined arrives as one, and would widen what is done
  (`--target ""`) or switch a protection off: it is bad input, whichever option it stands behind.
- Options that every command has may stand before it: `reconciler --project x plan`.
- What is a habit from other tools is answered with how it is written here.

Pure: the tree of commands and the words in, the words for the command out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import Complaint, InputError

HELP = ("-h", "--help")
COMPLETION = ("--install-completion", "--show-completion")

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "target-org": ("--org",),
    "targetusername": ("--org",),
    "env": ("--org",),
    "environment": ("--org",),
    "workspace": ("--org",),
    "chdir": ("--project",),
    "config": ("--project",),
    "file": ("--project",),
    "yes": ("--auto-approve",),
    "u": ("--org",),
    "no-prompt": ("--auto-approve",),
    "autoapprove": ("--auto-approve",),
    "format": ("--output",),
    "output-file": ("--out", "--output"),
    "output-format": ("--output",),
    "check-only": ("--validate",),
    "checkonly": ("--validate",),
    "dry-run": ("--validate",),
    "dryrun": ("--validate",),
    "debug": ("--verbose",),
    "silent": ("--quiet",),
    "exit-code": ("--detailed-exitcode",),
    "severity": ("--fail-on",),
    "only": ("--target",),
}
"""What other tools call an option, and ours; the first that a command has is named."""

NO_SUCH: Mapping[str, str] = {
    "force": "there is none for everything: --allow GUARD lifts one guard by name (reconciler explain delete)",
}
"""Options of other tools that are answered in words, since there is nothing like them here."""

COMMANDS: Mapping[str, str] = {
    "validate": "check",
    "lint": "check",
    "test": "check",
    "preview": "plan",
    "diff": "plan",
    "deploy": "apply",
    "up": "apply",
    "push": "apply",
    "destroy": "plan --destroy",
    "refresh": "drift",
    "status": "drift",
    "state": "baseline",
    "lock": "apply --lock-timeout",
    "login": "doctor",
    "retrieve": "pull",
    "export": "pull",
    "import": "pull",
}
"""What other tools call a command, and ours. Those that there are not (yet) are not named."""
ANSWERS: Mapping[str, str] = {
    "adopt": "reconciler pull takes what the org has into files and baseline; reconciler pull ADDRESS a part of it",
    "show": "reconciler plan shows what would change, reconciler baseline show ADDRESS what was last applied",
    "help": "write reconciler --help, or --help behind a command",
}
"""What other tools have a command for, and how it is done here, where no command of ours is the answer."""


@dataclass(frozen=True, slots=True)
class _Option:
    names: tuple[str, ...]
    takes_value: bool
    variable: str = ""
    """Of the environment, which is read where the option is not given."""

    @property
    def long(self) -> str:
        return max(self.names, key=len)


@dataclass(slots=True)
class _Seen:
    """The options and values found among the words of one command."""

    given: set[str] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)


def arranged(root: Any, typed: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Return the typed words with options moved behind the command that they stood before. `root` is Typer's tree.

    Raises InputError for what is empty, and for options and commands that there are not.
    """
    command, path, rest = root, ["reconciler"], list(typed)
    carried: list[str] = []
    before, own = _options(root), _own(root)
    while commands := getattr(command, "commands", None):
        ahead = _ahead(before, rest, path, root)
        if any(word in own for word in ahead):
            if ahead[-1] in COMPLETION and rest[len(ahead) :]:
                raise _no_shell(ahead[-1], rest[len(ahead)])
            return list(typed)
        carried += ahead
        rest = rest[len(ahead) :]
        if not rest or rest[0] == "--":
            return list(typed)
        if rest[0] not in commands:
            raise _no_command(rest[0], path, commands)
        command = commands[rest[0]]
        path.append(rest.pop(0))
        own = set(HELP)
    words = carried + rest
    _look(_options(command), words, path, root, environment)
    return path[1:] + words


def _options(command: Any) -> dict[str, _Option]:
    """Return all spellings of a command's options."""
    found: dict[str, _Option] = {name: _Option(HELP, takes_value=False) for name in HELP}
    for one in command.params:
        if one.param_type_name == "option":
            names = (*one.opts, *one.secondary_opts)
            option = _Option(names, not one.is_flag, one.envvar if isinstance(one.envvar, str) else "")
            found.update(dict.fromkeys(names, option))
    return found


def _own(root: Any) -> set[str]:
    """Options that work without a command, like `--version`: they are not moved behind one."""
    alone = (one for one in root.params if one.param_type_name == "option" and one.callback is not None)
    return {*HELP, *(name for one in alone for name in one.opts)}


def _ahead(options: Mapping[str, _Option], words: Sequence[str], path: Sequence[str], root: Any) -> list[str]:
    """Return the options, with their values, that stand before the command."""
    end = 0
    while end < len(words) and words[end].startswith("-") and words[end] not in ("-", "--"):
        name, equals, _ = _split(words[end])
        if _misspelt(words[end], options, root) or not _known(words[end], options):
            raise _no_option(words[end], options, path, root)
        last = name if words[end].startswith("--") else f"-{words[end][-1]}"
        # The value is the next word, if it does not stand in this one.
        apart = options[last].takes_value and not equals if last in options else False
        if apart and not words[end].startswith("--"):
            apart = not any(options[f"-{letter}"].takes_value for letter in words[end][1:-1])
        end += 2 if apart else 1
    return list(words[: min(end, len(words))])


def _split(word: str) -> tuple[str, str, str]:
    """Split a word into an option, what joins it and its value: `--org=x` -> `--org`, `=`, `x`; `-ox` -> `-o`, ``, `x`."""
    if word.startswith("--"):
        return word.partition("=")
    return word[:2], "", word[2:]


def _cluster(word: str, options: Mapping[str, _Option]) -> bool:
    """Whether these are short options in one word, the last of which may have its value in it: `-qy`, `-oprod`."""
    for letter in word[1:]:
        option = options.get(f"-{letter}")
        if option is None:
            return False
        if option.takes_value:
            return True
    return True


def _known(word: str, options: Mapping[str, _Option]) -> bool:
    return _split(word)[0] in options if word.startswith("--") else _cluster(word, options)


def _look(
    options: Mapping[str, _Option], words: Sequence[str], path: Sequence[str], root: Any, environment: Mapping[str, str]
) -> None:
    seen = _Seen()
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            seen.empty += ["an argument" for one in waiting if not one.strip()]
            break
        if not word.startswith("-") or word == "-":
            if not word.strip():
                seen.empty.append("an argument")
        elif _misspelt(word, options, root) or not _known(word, options):
            raise _no_option(word, options, path, root)
        else:
            _take(word, waiting, options, seen)
    for option in {id(one): one for one in options.values()}.values():
        if option.variable and option.long not in seen.given and environment.get(option.variable, "x").strip() == "":
            seen.empty.append(f"the environment variable {option.variable}")
    if seen.empty:
        mend = "give it a value, or leave it out; in a pipeline: see that the variable behind it is set"
        raise InputError(*(Complaint(f"{what} is empty", mend=mend) for what in dict.fromkeys(seen.empty)))


def _take(word: str, waiting: list[str], options: Mapping[str, _Option], seen: _Seen) -> None:
    """Note the options of one word as seen, and take their value, which may be the next word."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
    else:
        # Of several short ones in one word only the last can have a value.
        at = next((at for at, letter in enumerate(word) if at and options[f"-{letter}"].takes_value), len(word) - 1)
        seen.given.update(options[f"-{letter}"].long for letter in word[1:at])
        name, value = f"-{word[at]}", word[at + 1 :]
        equals = value
    option = options[name]
    seen.given.add(option.long)
    if not option.takes_value or (not equals and not waiting):
        return
    if not equals:
        value = waiting.pop(0)
        if value.startswith("--") and value.partition("=")[0] in options:
            message = f"{name} has no value: behind it stands the option {value}"
            raise InputError(Complaint(message, mend=f"write {name} and a value; a variable there may not be set"))
    if not value.strip():
        seen.empty.append(name)


def _misspelt(word: str, options: Mapping[str, _Option], root: Any) -> bool:
    """Whether this is a long option with one dash, as other tools write them. `-out=x` would else be read as `-o ut=x`."""
    if word.startswith("--") or len(word) < 3:
        return False
    name = word[1:].partition("=")[0]
    return (
        f"--{name}" in options or name in OPTIONS or any(f"--{name}" in known for known in _everywhere(root).values())
    )


def _everywhere(root: Any) -> dict[str, dict[str, _Option]]:
    """Return the options of every command, by the command's path."""
    found: dict[str, dict[str, _Option]] = {}

    def walk(command: Any, path: str) -> None:
        for name, one in getattr(command, "commands", {}).items():
            walk(one, f"{path} {name}".strip())
        if not hasattr(command, "commands"):
            found[path] = _options(command)

    walk(root, "")
    return found


def _no_option(word: str, options: Mapping[str, _Option], path: Sequence[str], root: Any) -> InputError:
    typed = word.partition("=")[0]
    name = typed.lstrip("-").replace("_", "-").casefold()
    command = " ".join(path)
    if name in NO_SUCH and not any(f"--{name}" in one for one in (options, *_everywhere(root).values())):
        mend = NO_SUCH[name]
    elif here := _meant(name, options):
        mend = f"did you mean {here}?"
    elif where := _commands_with(typed, name, root):
        mend = (
            f"write it behind the command: {where}" if len(path) == 1 else f"it goes with {where}; see {command} --help"
        )
    elif near := _near(name, options):
        mend = f"did you mean {near}?"
    else:
        mend = f"{command} --help shows what there is"
    return InputError(Complaint(f"No such option: {typed}", mend=mend))


def _meant(name: str, options: Iterable[str]) -> str:
    """The option of this command that a misspelt name stands for: with two dashes, or as other tools name it."""
    return next((one for one in (f"--{name}", *OPTIONS.get(name, ())) if one in options), "")


def _near(name: str, options: Iterable[str]) -> str:
    from difflib import get_close_matches

    known = [one for one in options if one.startswith("--")]
    near = get_close_matches(f"--{name}", known, n=1, cutoff=0.7)
    # Of a long option people remember the beginning.
    begun = {option for option in known if len(name) >= 4 and option.startswith(f"--{name[:4]}")}
    return near[0] if near else begun.pop() if len(begun) == 1 else ""


def _commands_with(typed: str, name: str, root: Any) -> str:
    """Name the commands that have an option which this one lacks: `plan --out, …`."""
    found = []
    for path, options in _everywhere(root).items():
        if ours := typed if typed in options else _meant(name, options):
            found.append(f"{path} {ours}")
    return ", ".join(found[:3]) + (" and others" if found[3:] else "")


def _no_shell(option: str, word: str) -> InputError:
    mend = f"run {option} in that shell"
    if option == "--show-completion" and word in ("bash", "zsh", "fish"):
        mend = f"{mend}, or _RECONCILER_COMPLETE=source_{word} reconciler anywhere"
    return InputError(Complaint(f"{option} is about the shell that it is run in, and takes no value", mend=mend))


def _no_command(word: str, path: Sequence[str], commands: Mapping[str, Any]) -> InputError:
    from difflib import get_close_matches

    mend = f"{' '.join(path)} --help lists them"
    ours = COMMANDS.get(word.casefold(), "") if len(path) == 1 else ""
    near = get_close_matches(word.casefold(), [name for name, one in commands.items() if not one.hidden], n=1)
    if ours and (ours.startswith("-") or ours.split()[0] in commands):
        mend = f"did you mean {path[0]} {ours}? {mend}"
    elif len(path) == 1 and word.casefold() in ANSWERS:
        mend = ANSWERS[word.casefold()]
    elif near:
        mend = f"did you mean {' '.join([*path, near[0]])}? {mend}"
    if not word.strip():
        return InputError(Complaint("the command is empty", mend=mend))
    return InputError(Complaint(f"No such command: {word}", mend=mend))

"""The commands that a card gives, read and never run here."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, field

_FENCE = re.compile(r"^\s*```[^\n]*\n(.*?)^\s*```", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.DOTALL)


@dataclass(frozen=True)
class Command:
    """One command of a card.

    Args:
        text: its line, continued lines joined.
        words: its words, shell variables that the card sets filled in.
        module: what follows `python -m`, or the script.
        positional: the words after it that are no options, the action first.
        options: `--name` to value.
    """

    text: str
    words: list[str]
    module: str = ""
    positional: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_bundle(self) -> bool:
        """Whether it calls `monai.bundle`."""
        return self.module == "monai.bundle" and bool(self.positional)

    @property
    def config_files(self) -> list[str]:
        """Its config files: one path, a Python list, or paths with commas between."""
        text = self.options.get("config_file", "") if self.is_bundle else ""
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = text.split(",")
        values = value if isinstance(value, list | tuple) else [value]
        return [str(v).strip() for v in values if str(v).strip()]

    @property
    def has_placeholder(self) -> bool:
        """Whether a person has to fill something in first."""
        return any(re.search(r"<[^>]+>|\.\.\.$|/path/to", w) for w in self.words) or "$" in self.text_filled

    @property
    def text_filled(self) -> str:
        """The command as one line."""
        return " ".join(self.words)


def commands_of(text: str) -> list[Command]:
    """Commands in the fenced blocks of a Markdown text that call Python or torchrun."""
    found = []
    for block in _FENCE.findall(text):
        variables: dict[str, str] = {}
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            for part in _split(line):
                words = [_fill(word, variables) for word in part]
                while words and (match := _ASSIGNMENT.match(words[0])):
                    variables[match[1]] = match[2]
                    words = words[1:]
                if words and re.fullmatch(r"(?:.*/)?(?:python[\d.]*|torchrun)", words[0]):
                    found.append(_command(line.strip(), words))
    return found


def _split(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:  # an open quote: prose, not a command
        return []
    parts: list[list[str]] = [[]]
    for word in words:
        if set(word) <= set(";&|"):
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _fill(word: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda m: variables.get(m[1], m[0]), word)


def _command(text: str, words: list[str]) -> Command:
    start = words.index("-m", 1) + 1 if "-m" in words[1:] else 1
    while start < len(words) and words[start].startswith("-"):
        start += 1
    module = words[start] if start < len(words) else ""
    positional, options, waiting = [], {}, ""
    for word in words[start + 1 :]:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            options[name] = value
            waiting = "" if equals else name
        elif waiting:
            options[waiting], waiting = word, ""
        else:
            positional.append(word)
    return Command(text, words, module, positional, options)

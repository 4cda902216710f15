"""Puts a mutant into modules that are loaded already, where it changes nothing but the inside of functions.

Loading the app takes longer than the test that notices a mutant. So the tests are collected once, and each mutant gets
a fork of that process in which the code of the changed function is exchanged. What a module or a class does while it is
loaded (tables, defaults, decorators) can't be exchanged so.
"""

import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import CodeType, FunctionType, ModuleType


def changed_functions(original: str, mutated: str) -> dict[str, CodeType] | None:
    """Return the new code by qualified name; None where more than the inside of functions differs."""
    old, new = (compile(text, "mutant", "exec", dont_inherit=True) for text in (original, mutated))
    found: dict[str, CodeType] = {}
    return found if _compared(old, new, found) and found else None


def exchange(module_name: str, changed: Mapping[str, CodeType]) -> bool:
    """Give the functions of a loaded module their new code; False where one of them can't be found."""
    functions = {function.__code__.co_qualname: function for function in _functions(sys.modules[module_name])}
    if not changed.keys() <= functions.keys():
        return False
    for name, code in changed.items():
        functions[name].__code__ = code
    return True


def _compared(old: CodeType, new: CodeType, found: dict[str, CodeType]) -> bool:
    """Compare what is run while loading, and note the functions that differ."""
    if old.co_code != new.co_code or old.co_names != new.co_names or len(old.co_consts) != len(new.co_consts):
        return False
    for before, after in zip(old.co_consts, new.co_consts, strict=True):
        if not isinstance(before, CodeType) or not isinstance(after, CodeType):
            if (type(before), before) != (type(after), after):
                return False
        elif _is_class_body(before):
            if not _compared(before, after, found):
                return False
        elif before != after:
            found[after.co_qualname] = after
    return True


def _is_class_body(code: CodeType) -> bool:
    return "__qualname__" in code.co_names and "__module__" in code.co_names


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions and methods that the module defines, those behind decorators too."""
    owners = [vars(module), *(vars(value) for value in vars(module).values() if _is_class_of(value, module))]
    for owner in owners:
        for value in owner.values():
            function = _behind(value)
            if function is not None and function.__module__ == module.__name__:
                yield function


def _is_class_of(value: object, module: ModuleType) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__


def _behind(value: object) -> FunctionType | None:
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, cached_property):
        value = value.func
    elif isinstance(value, classmethod | staticmethod):
        value = value.__func__
    value = getattr(value, "__wrapped__", value)
    return value if isinstance(value, FunctionType) else None

"""Files of every kind that a command line can name and that mean harm: each is refused with one message.

A case writes files to a folder, and returns the arguments; the error says its second part.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

Case = tuple[Callable[[Path], list[str]], str]
Content = bytes | str | Callable[[], bytes]
NET = "input x[2] in [0, 1]\noutput y = relu(x)\n"
SBML = "http://www.sbml.org/sbml/level3/version1/core"
MATHML = "http://www.w3.org/1998/Math/MathML"
VERIFY = ("verify", "net.nn", "--engine", "fixed-point", "--max-memory", "1GB", "--data")


def made(content: Content) -> bytes:
    """The bytes, which are made only now if that takes long."""
    if callable(content):
        return content()
    return content.encode() if isinstance(content, str) else content


def case(name: str, content: Content, command: tuple[str, ...], message: str) -> Case:
    """The file is the command's last argument, beside a network net.nn."""

    def write(folder: Path) -> list[str]:
        (folder / "net.nn").write_text(NET)
        (folder / name).write_bytes(made(content))
        return [*command, name]

    return write, message


def special(make: Callable[[Path], object], name: str, command: tuple[str, ...], message: str) -> Case:
    def write(folder: Path) -> list[str]:
        (folder / "net.nn").write_text(NET)
        make(folder / name)
        return [*command, name]

    return write, message


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


# Arrays


def npy(dtype: str, shape: str, data: bytes = b"") -> bytes:
    """An .npy file whose header says so."""
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def npz(kind: int = zipfile.ZIP_DEFLATED, **arrays: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", kind) as packed:
        for name, data in arrays.items():
            packed.writestr(f"{name}.npy", data)
    return raw.getvalue()


@cache
def bomb(kind: int) -> bytes:
    """A quarter of a gigabyte of zeros, which are 250 kB, or 200 bytes."""
    return npz(kind, x=npy("'|u1'", "(128000000, 2)", bytes(256_000_000)))


def encrypted() -> bytes:
    """Marked as under a password."""
    data = bytearray(npz(zipfile.ZIP_STORED, x=npy("'<f8'", "(1, 2)", bytes(16))))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    return bytes(data)


def weights(name: str, content: Content, message: str, key: str = "") -> Case:
    def write(folder: Path) -> list[str]:
        (folder / name).write_bytes(made(content))
        load = f"load({json.dumps(name)}{key and f', {json.dumps(key)}'})"
        (folder / "net.nn").write_text(f"input x[2]\noutput y = dense(x, weight = {load})")
        return ["check", "net.nn", "--max-memory", "1GB"]

    return write, message


ARRAYS = {
    "weights of no bytes": weights("w.npy", npy("'|V0'", "(10000000000,)"), "has values of type |V0"),
    "weights of no bytes, packed": weights("w.npz", npz(w=npy("'|V0'", "(10000000000,)")), "values of type |V0", "w"),
    "weights of empty texts": weights("w.npy", npy("'|S0'", "(10000000000,)"), "has values of type |S0"),
    "weights that are not there": weights("w.npy", npy("'<f8'", "(10000000000,)"), "is cut short"),
    "weights past 64 bits": weights("w.npy", npy("'<f8'", "(9999999999, 9999999999, 0)"), "'w.npy' cannot be read: "),
    "weights unpacked": weights("w.npz", partial(bomb, zipfile.ZIP_DEFLATED), "numbers, for which the 1 GB allowed are not enough", "x"),
    "weights in records": weights("w.npy", npy("[('a', '<f8')]", "(1,)", bytes(8)), "has values of type [('a', '<f8')]"),
    "data unpacked": case("d.npz", partial(bomb, zipfile.ZIP_DEFLATED), VERIFY, "256,000,000 numbers, for which the 1 GB allowed"),
    "data by a stronger packer": case("d.npz", partial(bomb, zipfile.ZIP_BZIP2), VERIFY, "is cut short"),
    "data of no bytes": case("d.npz", npz(x=npy("'|V0'", "(10000000000, 2)")), VERIFY, "has values of type |V0"),
    "data of another shape": case("d.npz", npz(x=npy("'<f8'", "(2, 10000000000)")), VERIFY, "has 2 numbers"),
    "data that are one array": case("d.npz", npy("'<f8'", "(1, 2)", bytes(16)), VERIFY, "File is not a zip file"),
    "data under a password": case("d.npz", encrypted(), VERIFY, "is encrypted"),
    "data cut short": case("d.npz", npz(x=npy("'<f8'", "(1, 2)", bytes(16)))[:-30], VERIFY, "File is not a zip file"),
    "data in pickles": case("d.npz", npz(x=npy("'|O'", "(1, 2)", b"cos\nsystem\n(S'id'\ntR.")), VERIFY, "of type object"),
    "data in one field": case("d.csv", "1" * 50_000_000, VERIFY, "field larger than field limit"),
    "data in one row": case("d.csv", "0," * 3_000_000, VERIFY, "values, where the inputs take 2"),
    "data of a device": special(zero, "d.csv", VERIFY, "it is a device"),
    "data of a pipe": special(os.mkfifo, "d.npz", VERIFY, "it is a named pipe"),
    "data of a folder": special(Path.mkdir, "d.csv", VERIFY, "it is a folder"),
}  # fmt: skip

# Configurations

CONFIG = ("compile", "net.nn", "-o", "out.ant", "--config")
CONFIGS = {
    "brackets": case("c.toml", "a = " + "[" * 100_000, CONFIG, "its brackets nest too deep"),
    "braces": case("c.toml", "a = " + "{a = " * 100_000, CONFIG, "its brackets nest too deep"),
    "key of many parts": case("c.toml", "a" + ".a" * 100_000 + " = 1", CONFIG, "line 1: more than 3 dots outside of quotes"),
    "table of many parts": case("c.toml", '["a"' + '."a"' * 100_000 + "]", CONFIG, "more than 3 dots outside of quotes"),
    "key after a string": case("c.toml", 'a = """\n""" # ' + ".a" * 9 + "\n", CONFIG, "a string of several lines"),
    "million digits": case("c.toml", "a = " + "9" * 999_000, CONFIG, "is not a TOML file: Exceeds the limit"),
    "million hexadecimal digits": case("c.toml", "[templates.relu]\nh = 0x" + "f" * 900_000, CONFIG, "'h' is not a number"),
    "large configuration": case("c.toml", "#" * 5_000_000, CONFIG, "is larger than 1 MB"),
    "configuration of a device": special(zero, "c.toml", CONFIG, "it is a device"),
    "configuration of a pipe": special(os.mkfifo, "c.toml", CONFIG, "it is a named pipe"),
}  # fmt: skip

# Templates

TEMPLATE = ("templates", "--template")
COMPOSED = """\
template a{0}.mine for a{0}
  "a doubling"
  source "mine"
  function = u
  compose {1}
  error <= 0.1
"""


def doubling(levels: int, limit: tuple[str, ...], message: str) -> Case:
    """Compositions, each of the one before it twice."""

    def write(folder: Path) -> list[str]:
        for i in range(levels):
            text = COMPOSED.format(i, f"a{i - 1}(u) + a{i - 1}(2*u)" if i else "relu(u)")
            (folder / f"a{i}.act").write_text(text)
        (folder / "net.nn").write_text(f"input x[1] in [0, 1]\noutput y = a{levels - 1}(x)\n")
        given = [word for i in range(levels) for word in ("--template", f"a{i}.act")]
        return ["compile", "net.nn", *given, *limit, "-o", "out.ant"]

    return write, message


TEMPLATES = {
    "compositions that double": doubling(26, (), "a25.act: the composition comes to 33,554,432 activations"),
    "compositions past a limit": doubling(9, ("--max-reactions", "255"), "it has 256 neurons, more than 255 reactions"),
    "template of a device": special(zero, "t.act", TEMPLATE, "it is a device"),
    "template of a pipe": special(os.mkfifo, "t.act", TEMPLATE, "it is a named pipe"),
    "large template": case("t.act", "#" * 5_000_000, TEMPLATE, "is larger than 4 MB"),
}  # fmt: skip

# SBML


def sbml(body: str) -> str:
    return f'<sbml xmlns="{SBML}" level="3" version="1"><model id="m">{body}</model></sbml>'


def formula(content: str) -> str:
    return f'<math xmlns="{MATHML}">{content}</math>'


def rules(count: int, content: Callable[[int], str]) -> str:
    """Assignment rules for p0, p1, ..., after functions that are there already."""
    parameters = "".join(f'<parameter id="p{i}" constant="false"/>' for i in range(count))
    made = "".join(f'<assignmentRule variable="p{i}">{formula(content(i))}</assignmentRule>' for i in range(count))
    return f"<listOfParameters>{parameters}</listOfParameters><listOfRules>{made}</listOfRules>"


def functions(count: int, content: Callable[[int], str]) -> str:
    made = "".join(
        f'<functionDefinition id="f{i}">{formula(f"<lambda><bvar><ci>x</ci></bvar>{content(i)}</lambda>")}'
        "</functionDefinition>"
        for i in range(count)
    )
    return sbml(f"<listOfFunctionDefinitions>{made}</listOfFunctionDefinitions>{rules(1, lambda _: '<cn>1</cn>')}")


def call(name: str, *arguments: str) -> str:
    return f"<apply><ci>{name}</ci>{''.join(arguments)}</apply>"


def square(argument: str) -> str:
    return f"<apply><times/>{argument}{argument}</apply>"


X = "<ci>x</ci>"


def nested(name: str, depth: int) -> str:
    return f"<{name}>" * depth + f"</{name}>" * depth


VALIDATE = ("validate",)
DEEP = "m.xml:1: elements nest more than 200 deep"
DOCUMENTS = {
    "operators in operators": case("m.xml", sbml(rules(1, lambda _: "<apply><minus/>" * 50_000 + "<cn>1</cn>" + "</apply>" * 50_000)), VALIDATE, DEEP),
    "bold in bold": case("m.xml", sbml(f'<notes><p xmlns="http://www.w3.org/1999/xhtml">{nested("b", 100_000)}</p></notes>'), VALIDATE, DEEP),
    "annotations in annotations": case("m.xml", sbml(f"<annotation>{nested('a', 100_000)}</annotation>"), VALIDATE, DEEP),
    "functions that call each other": case("m.xml", functions(40, lambda i: call(f"f{i - 1}", call(f"f{i - 1}", X)) if i else square(X)), VALIDATE, "comes to more than 1,000 operations"),
    "functions, backwards": case("m.xml", functions(40, lambda i: call(f"f{i + 1}", X)), VALIDATE, "the function f0 calls f1, which is not a function defined before it"),
    "a function of itself": case("m.xml", functions(1, lambda _: call("f0", X)), VALIDATE, "the function f0 calls f0"),
    "rules that refer to each other": case("m.xml", sbml(rules(40, lambda i: square(f"<ci>p{i - 1}</ci>") if i else "<cn>1</cn>")), VALIDATE, "comes to more than 100,000 operations"),
    "rules in a circle": case("m.xml", sbml(rules(2, lambda i: f"<ci>p{1 - i}</ci>")), VALIDATE, "rules refer to each other in a circle: p0 -> p1 -> p0"),
    "entities": case("m.xml", '<!DOCTYPE a [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><sbml/>', VALIDATE, "a document type"),
    "document of a device": special(zero, "m.xml", VALIDATE, "it is a device"),
    "document of a pipe": special(os.mkfifo, "m.xml", VALIDATE, "it is a named pipe"),
}  # fmt: skip

# Models and targets

MODELS = {
    "model of a pipe": special(os.mkfifo, "m.onnx", ("check",), "it is a named pipe"),
    "model of a folder": special(Path.mkdir, "m.onnx", ("check",), "it is a folder"),
    "model with a long name": (lambda _: ["check", "a" * 300 + ".onnx"], "File name too long"),
}  # fmt: skip


def target(command: tuple[str, ...], name: str, message: str) -> Case:
    """A link that leads round in a circle is in the folder, under each suffix."""

    def write(folder: Path) -> list[str]:
        (folder / "net.nn").write_text(NET)
        for suffix in (".xml", ".nn", ".omex", ".csv", ".json"):
            (folder / f"loop{suffix}").symlink_to(f"loop{suffix}")
        return [*command, name]

    return write, message


LOOP, LONG = "Too many levels of symbolic links", "File name too long"
TARGETS = {
    f"{kind} to {where}": target(command, name + suffix, message)
    for kind, command, suffix in (
        ("compile", ("compile", "net.nn", "-o"), ".xml"),
        ("compile, packed", ("compile", "net.nn", "-o"), ".omex"),
        ("convert", ("convert", "net.nn", "-o"), ".nn"),
        ("simulate", ("simulate", "net.nn", "--input", "1,1", "-o"), ".csv"),
        ("map", ("compile", "net.nn", "--map"), ".json"),
    )
    for where, name, message in (
        ("a circle of links", "loop", LOOP),
        ("a long name", "a" * 300, LONG),
        ("a folder with a long name", "a" * 300 + "/a", LONG),
    )
}

EVERY = {**ARRAYS, **CONFIGS, **TEMPLATES, **DOCUMENTS, **MODELS, **TARGETS}

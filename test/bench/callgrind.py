#!/usr/bin/env python3
"""Reads what callgrind wrote: callgrind.py total FILE, or callgrind.py guest FILE OBJECT

total   all instructions of the process.
guest   those of one shared object and of what it calls for purposes of its own. What it only passes
        on, as a hook does, is not its own; nor is the callback of a program that it stands before.

That is exact where a difference of totals is not: an allocator that finds other blocks free makes
a request of libcurl's dearer or cheaper by hundreds of instructions.
"""

import re
import sys

NAME = re.compile(r"(c?)(fn|ob)=(\(\d+\))(?: (.*))?$")
FORWARDERS = re.compile(r"hook_|setting_pass")


def total(path):
    with open(path) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("totals:"))


def edges(path):
    """(object, function, object called, function called, instructions); called is None for a
    function's own."""
    names = {}
    here = {"ob": "", "fn": ""}
    there = {}
    with open(path) as file:
        for line in file:
            match = NAME.match(line)
            if match:
                called, kind, number, name = match.groups()
                if name:
                    names[kind, number] = name
                (there if called else here)[kind] = names[kind, number]
            elif line.startswith("calls="):
                cost = int(next(file).split()[1])
                yield here["ob"], here["fn"], there.get("ob", here["ob"]), there["fn"], cost
                there = {}
            elif line[0] in "+-*0123456789":
                yield here["ob"], here["fn"], None, None, int(line.split()[1])


def guest(path, name):
    cost = 0
    program = None
    with open(path) as file:
        program = next(line.split()[1] for line in file if line.startswith("cmd:"))
    for place, function, called, _, instructions in edges(path):
        if name not in place or (called and name in called):
            continue
        if called and (called == program or FORWARDERS.match(function) and "libcurl" in called):
            continue
        cost += instructions
    return cost


if __name__ == "__main__":
    print(total(sys.argv[2]) if sys.argv[1] == "total" else guest(*sys.argv[2:]))

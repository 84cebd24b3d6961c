"""Checks that the C sources keep to their wings: python3 scripts/check_walls.py [FOLDER]

scripts/walls says which wings a wing may include, from the bottom up; only a wing above may include one below. Besides:
an internal header (*_internal.h) is not included from outside its wing, no header takes part in a circle, and what a header declares
with the name of a function is defined in the .c of its name, where there is one.
"""
import os
import re
import sys


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def table():
    """Returns wing → the wings that it may include, in the order of the file."""
    rows = [line.split() for line in read('scripts/walls').splitlines()[1:]]
    return {row[0]: set(row[1:]) for row in rows}


def sources():
    return sorted(os.path.join(folder, name) for layer in ('storage', 'api', 'server') for folder, _, names in os.walk(layer)
                  for name in names if name.endswith(('.c', '.h')))


def includes(path):
    """Yields the repository's own files that a source includes."""
    for name in re.findall(r'^#include "([^"]+)"', read(path), re.M):
        beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
        yield beside if os.path.exists(beside) else name


def wrong_rows(walls):
    seen = set()
    for wing, below in walls.items():
        for other in sorted(below - seen):
            yield f'scripts/walls: {wing} may not include {other}, which is not above it in the table'
        seen.add(wing)


def wrong_includes(walls, path):
    wing = os.path.dirname(path)
    if wing not in walls:
        yield f'{path}: {wing} has no row in scripts/walls'
        return
    for other in includes(path):
        if other.startswith('tests/'):
            yield f'{path}: includes {other}'
        elif os.path.dirname(other) != wing and os.path.dirname(other) not in walls[wing]:
            yield f'{path}: {wing} may not include {other}: scripts/walls'
        elif other.endswith('_internal.h') and os.path.dirname(other) != wing:
            yield f'{path}: {other} is internal to {os.path.dirname(other)}'


def circles(paths):
    """Yields circles of headers, each from where the walk met it."""
    done, stack = set(), []

    def walk(path):
        if path in stack:
            yield 'a circle: ' + ' → '.join(stack[stack.index(path):] + [path])
        elif path not in done:
            stack.append(path)
            for other in includes(path):
                if other.endswith('.h') and os.path.exists(other):
                    yield from walk(other)
            stack.pop()
            done.add(path)

    for path in paths:
        if path.endswith('.h'):
            yield from walk(path)


def wrong_places(path):
    """Yields the functions that a header declares and the .c of its name does not define."""
    source = path[:-2] + '.c'
    if not path.endswith('.h') or not os.path.exists(source):
        return
    header = re.sub(r'/\*.*?\*/', '', read(path), flags=re.S)
    header = re.sub(r'\{[^{}]*\}', '{}', re.sub(r'\{[^{}]*\{[^{}]*\}[^{}]*\}', '{}', header))
    defined = set(re.findall(r'^(?!static|#|\s).*?\b(hf_\w+)\(', read(source), re.M))
    for name in re.findall(r'^(?!static|#|typedef|\s).*?\b(hf_\w+)\([^;{]*;', header, re.M):
        if name not in defined:
            yield f'{path}: {name}() is not defined in {source}'


def main():
    if len(sys.argv) > 1:
        os.chdir(sys.argv[1])
    walls, paths = table(), sources()
    faults = [*wrong_rows(walls), *circles(paths)]
    for path in paths:
        faults += [*wrong_includes(walls, path), *wrong_places(path)]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())

"""The figures of all rounds, by part, who was measured, at which point (connections, leases) and unit."""
import os
import statistics

LOAD_UNITS = {"rps": "req/s", "cpu_us": "CPU µs", "p50_ms": "p50 ms", "p99_ms": "p99 ms"}


class Figures:
    def __init__(self):
        self.values, self.stalls = {}, []  # the stalls of the machine, in seconds: what was measured then is not here

    def add(self, part, who, point, unit, value):
        self.values.setdefault((part, who, point, unit), []).append(float(value))

    def add_load(self, part, who, connections, result):
        """What wrk, or a peer, tells of one run."""
        for name, unit in LOAD_UNITS.items():
            self.add(part, who, connections, unit, result[name])

    def mark(self):
        return {key: len(values) for key, values in self.values.items()}

    def back_to(self, mark):
        """Forgets what was added since."""
        self.values = {key: values[:mark[key]] for key, values in self.values.items() if key in mark}

    def has(self, *key):
        return key in self.values

    def median(self, *key):
        return statistics.median(self.values[key])

    def most(self, *key):
        return max(self.values[key])

    def points(self, part):
        """(who, point) of a part, in the order in which they were first measured."""
        return list(dict.fromkeys((who, point) for p, who, point, _ in self.values if p == part))

    def write(self, path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("part\twho\tpoint\tunit\tround\tvalue\n")
            for (part, who, point, unit), values in self.values.items():
                for number, value in enumerate(values, 1):
                    file.write(f"{part}\t{who}\t{point}\t{unit}\t{number}\t{value:.6g}\n")

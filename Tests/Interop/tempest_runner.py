"""Runs tests of tempest by name, one after another, and prints a line of JSON for each. With --list it prints the names of all
tests of the Images API."""

import json
import pathlib
import re
import sys
import unittest


class Reporter(unittest.TestResult):
    """Prints the outcome of each test."""

    def report(self, test, result, reason=""):
        # A class whose set-up fails or is skipped is reported as "setUpClass (package.module.Class)".
        of_class = re.match(r"\w+ \((.*)\)$", test.id())
        name = of_class[1] if of_class else plain(test.id())
        print(json.dumps({"test": name, "result": result, "reason": str(reason)}), flush=True)

    def addSuccess(self, test):
        self.report(test, "ok")

    def addSkip(self, test, reason):
        self.report(test, "skip", reason)

    def addError(self, test, error):
        self.report(test, "fail", self._exc_info_to_string(error, test))

    addFailure = addError


def plain(name):
    """A test's name without its attributes, which tempest appends in brackets."""
    return re.sub(r"\[.*\]$", "", name)


def each_test(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from each_test(part)
        else:
            yield part


def main(words):
    import tempest
    top = pathlib.Path(tempest.__file__).parent.parent
    found = list(each_test(unittest.TestLoader().discover(str(top / "tempest/api/image"), top_level_dir=str(top))))
    tests = {plain(test.id()): test for test in found}
    if words == ["--list"]:
        print("\n".join(sorted(tests)))
    else:
        unittest.TestSuite(tests[name] for name in words).run(Reporter())


main(sys.argv[1:])

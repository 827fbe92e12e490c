#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the layering check fails where it must: each case is a tree with one fault in it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECK = Path(__file__).parent / "layering.py"

GOOD = {
    "include/berth/config.hpp": "",
    "include/berth/src.hpp": "#include <berth/base/src.hpp>\n#include <berth/spec/src.hpp>\n",
    "include/berth/berth.hpp": "#include <berth/base/error.hpp>\n#include <berth/spec/document.hpp>\n",
    "include/berth/base/src.hpp": "",
    "include/berth/base/error.hpp": "#include <berth/config.hpp>\n#include <string>\n",
    "include/berth/spec/src.hpp": "#include <berth/impl/spec/document.ipp>\n",
    "include/berth/spec/document.hpp": "#include <berth/base/error.hpp>\n",
    "include/berth/impl/spec/document.ipp": "#include <berth/spec/document.hpp>\n",
    "src/base.cpp": "#include <berth/base/src.hpp>\n",
    "src/spec.cpp": "#include <berth/spec/src.hpp>\n",
}


class Layering(unittest.TestCase):
    def run_on(self, **changes: str) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as name:
            for path, text in {**GOOD, **{k: v for k, v in changes.items()}}.items():
                file = Path(name, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            done = subprocess.run([sys.executable, CHECK, name], capture_output=True, text=True)
            return done.returncode, done.stderr

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.run_on(), (0, ""))

    def check(self, path: str, text: str, *words: str):
        code, said = self.run_on(**{path: text})
        self.assertEqual(code, 1, said)
        for word in words:
            self.assertIn(word, said)

    def test_an_edge_to_the_right_in_a_header(self):
        self.check(
            "include/berth/base/error.hpp",
            "#pragma once\n#include <berth/spec/document.hpp>\n",
            "include/berth/base/error.hpp:2",
            "base must not know spec",
        )

    def test_an_edge_to_the_right_in_a_body(self):
        self.check(
            "include/berth/impl/spec/document.ipp", '#  include "berth/runsc/version.hpp"\n', "spec must not know runsc"
        )

    def test_an_edge_to_the_right_in_the_guest(self):
        self.check("src/guest/base/words.hpp", '#include "docker/relay.hpp"\n', "the guest's base must not know docker")

    def test_a_folder_of_the_guest_that_nobody_knows(self):
        self.check("src/guest/misc/words.hpp", "", "'misc' is no folder of the guest's")

    def test_an_edge_to_the_right_in_a_source(self):
        self.check("src/base.cpp", "#include <berth/docker/src.hpp>\n", "base must not know docker")

    def test_the_detail_of_another_layer(self):
        self.check(
            "include/berth/impl/runsc/version.ipp",
            "#include <berth/spec/detail/scan.hpp>\n",
            "is spec's own; runsc takes",
        )

    def test_the_detail_of_a_layer_in_the_command(self):
        self.check("src/cli/run.cpp", "#include <berth/spec/detail/scan.hpp>\n", "src/cli/run.cpp", "is spec's own")

    def test_the_umbrella_inside_a_layer(self):
        self.check("include/berth/spec/document.hpp", "#include <berth/berth.hpp>\n", "takes every layer in")

    def test_an_unknown_layer(self):
        self.check("include/berth/kitchen/sink.hpp", "", "'kitchen' is no layer")

    def test_a_body_that_no_list_names(self):
        self.check("include/berth/impl/spec/scan.ipp", "", "does not list berth/impl/spec/scan.ipp")

    def test_a_header_that_the_umbrella_forgets(self):
        self.check("include/berth/spec/mounts.hpp", "", "does not include berth/spec/mounts.hpp")

    def test_a_body_that_meets_half_a_header(self):
        code, said = self.run_on(
            **{
                "include/berth/spec/document.hpp": "#include <berth/base/error.hpp>\n#include <berth/spec/part.hpp>\n",
                "include/berth/spec/part.hpp": "#include <berth/impl/spec/part.ipp>\n",
                "include/berth/impl/spec/part.ipp": "#include <berth/spec/document.hpp>\n",
                "include/berth/spec/src.hpp": "#include <berth/impl/spec/document.ipp>\n#include <berth/impl/spec/part.ipp>\n",
                "include/berth/berth.hpp": "#include <berth/base/error.hpp>\n#include <berth/spec/document.hpp>\n"
                "#include <berth/spec/part.hpp>\n",
            }
        )
        self.assertEqual(code, 1, said)
        self.assertIn("impl/spec/part.ipp includes berth/spec/document.hpp in the middle of it", said)

    def test_a_layer_without_a_source(self):
        self.check("include/berth/runsc/src.hpp", "", "src/runsc.cpp is missing", "does not list berth/runsc/src.hpp")


if __name__ == "__main__":
    unittest.main()

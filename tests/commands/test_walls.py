"""scripts/check_walls.py finds what does not keep to its wing, in a tree of its own."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'scripts', 'check_walls.py')
TABLE = 'wing may include\nstorage/base\nstorage/store storage/base\napi/text storage/base\n'
SOUND = {
    'scripts/walls': TABLE,
    'storage/base/err.h': 'int hf_err(int x);\n',
    'storage/base/err.c': '#include "err.h"\n\nint hf_err(int x) { return x; }\n',
    'storage/store/store.h': '#include "storage/base/err.h"\n',
    'storage/store/store_internal.h': '#include "store.h"\n',
    'storage/store/store.c': '#include "store_internal.h"\n',
    'api/text/json.h': '#include "storage/base/err.h"\n',
}


class Walls(unittest.TestCase):
    def check(self, **changes):
        """Runs the script over the sound tree with some files changed; returns its status and what it says."""
        root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, root)
        os.makedirs(os.path.join(root, 'server'))
        for path, text in {**SOUND, **changes.get('files', {})}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        result = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)
        return result.returncode, result.stderr

    def refused(self, words, **files):
        status, said = self.check(files={path.replace('__', '/') + '.' + suffix: text for name, text in files.items()
                                         for path, suffix in [name.rsplit('_', 1)]})
        self.assertEqual(status, 1, said)
        self.assertIn(words, said)

    def test_a_sound_tree(self):
        self.assertEqual(self.check(), (0, ''))

    def test_an_include_upward(self):
        self.refused('storage/base may not include storage/store/store.h', storage__base__err_c='#include "storage/store/store.h"\nint hf_err(int x) {}\n')

    def test_an_include_of_another_layer(self):
        self.refused('storage/store may not include api/text/json.h', storage__store__store_c='#include "api/text/json.h"\n')

    def test_an_internal_header_from_outside(self):
        files = {'scripts/walls': TABLE.replace('api/text storage/base', 'api/text storage/base storage/store'),
                 'api/text/json.c': '#include "storage/store/store_internal.h"\n'}
        status, said = self.check(files=files)
        self.assertEqual((status, said), (1, 'api/text/json.c: storage/store/store_internal.h is internal to storage/store\n'))

    def test_a_circle(self):
        self.refused('a circle: ', storage__store__store_h='#include "store_internal.h"\n')

    def test_a_function_in_another_file(self):
        self.refused('hf_fail() is not defined in storage/base/err.c', storage__base__err_h='int hf_err(int x);\nint hf_fail(int x);\n')

    def test_a_folder_without_a_row(self):
        self.refused('storage/attic has no row', storage__attic__old_c='\n')

    def test_a_table_that_points_upward(self):
        status, said = self.check(files={'scripts/walls': TABLE.replace('storage/base\n', 'storage/base storage/store\n', 1)})
        self.assertEqual(status, 1)
        self.assertIn('storage/base may not include storage/store, which is not above it in the table', said)


if __name__ == '__main__':
    unittest.main()

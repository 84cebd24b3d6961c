"""Makes the commands' modules importable, as scripts/holdfast does. Each test module imports this first."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMANDS = os.path.join(ROOT, 'scripts', 'commands')
sys.dont_write_bytecode = True
sys.path.append(COMMANDS)

# SPDX-License-Identifier: Apache-2.0
"""Lets tests import the helper modules that stand beside them; fixtures are in /conftest.py."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

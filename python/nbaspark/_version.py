# SPDX-License-Identifier: Apache-2.0
"""The version of nbaspark; setup.py and csrc/Makefile read it from here."""

__version__ = "0.1.0"

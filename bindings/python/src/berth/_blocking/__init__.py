# SPDX-License-Identifier: Apache-2.0
"""Bases of the classes without coroutines. Made by generate_blocking.py; do not edit."""

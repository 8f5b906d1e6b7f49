"""Tests of the apps; mirrors their tree."""

"""Plates, their contents and markings, and other laboratory objects."""

"""Figures and pictures of one test."""

"""Reads the project file `reconciler.yaml`, and writes the first files of a project."""

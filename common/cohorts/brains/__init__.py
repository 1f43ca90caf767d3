"""Brain masks: files beside a scan, or made by a program."""

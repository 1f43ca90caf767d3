"""Makes each table of the papers with one command: the runs, their commands, and our table beside the printed one.

Plan → commands → runs → evaluations → table. Planning needs neither MONAI nor torch.
"""

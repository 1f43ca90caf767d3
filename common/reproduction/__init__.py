"""Each table of the papers from one command: which runs it takes, their commands, and the table beside the printed one.

Plan → commands → runs → evaluations → table. Planning needs neither MONAI nor torch.
"""

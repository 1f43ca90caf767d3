"""A bundle trained and judged on every fold of its data set, with one command.

Options → commands of each fold → runs → predictions of all folds → table and page. Planning needs neither MONAI nor
torch.
"""

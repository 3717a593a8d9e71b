"""Files and folders: the program's data folder, and safe ways to read and write files."""

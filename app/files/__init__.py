"""Files and folders: where the program keeps its own, and how it writes and reads safely."""

"""An outpost: a Post that is read and steered from another process, by requests and answers."""

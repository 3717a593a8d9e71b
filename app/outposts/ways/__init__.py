"""How requests and answers are carried between a console and an outpost: a stream, a socket, SSH, a router."""

"""A carrier and its phones, simulated: an MMSC, an SMSC, and a web page per phone.

They speak the real protocols and see nothing but their own sockets: what a phone shows was read from the bytes
that arrived. Nobody but the composition root imports this room.
"""

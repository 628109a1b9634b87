"""One workflow per action: who is calling, the checks in the contract's order, the media, the commit."""

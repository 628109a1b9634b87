"""The fallback SMS: its alphabet and parts, the SMPP connection to an SMSC, the receipts that come back."""

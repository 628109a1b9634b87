"""The web page behind the link of a fallback SMS: what a phone shows that could not have the MMS."""

"""Delivery: walks each due message through its steps to the carrier, or to the phone by SMS."""

"""The demo's side of the world: media to send, and a stand-in for the customer's program that receives postbacks.

Serves what a customer would have on servers of its own. Nothing in the gateway imports it but the command that
starts the demo.
"""

"""The routes of the studio's interface, version 1: one module for each family of requests."""

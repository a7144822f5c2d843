"""What is sent and when: streams, Locust users, the generator's process and its protocol.

Only `generator` and the modules that it loads import Locust; the conductor talks
to it through `remote` and `protocol`, which do not.
"""

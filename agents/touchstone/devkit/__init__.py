"""A real Kafka on a bare machine, and real touchpoints to send to it: java.py jars.py broker.py daemon.py; datasets.py."""

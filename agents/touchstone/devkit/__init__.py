"""A real Kafka on a bare machine, real touchpoints, a whole live system: java.py jars.py broker.py daemon.py; datasets.py roster.py
stories.py encounters.py; workers.py live.py, watched by audience.py and put to the test by trial.py.
"""

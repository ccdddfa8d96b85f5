"""The small engine on Faust, in the order a batch meets it: transport.py batch.py loop.py agents.py delivery.py checkpoint.py producer.py
transaction.py; around it rebalance.py restore.py partitions.py; the time in sources.py timekeeper.py clockreader.py; assembly.py ties the
parts together and worker.py runs them; admin.py client.py replay.py are for others.
"""

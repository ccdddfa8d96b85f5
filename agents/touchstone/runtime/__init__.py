"""The small engine on Faust, in the order a batch meets it: transport.py batch.py loop.py delivery.py checkpoint.py transaction.py; rebalance.py and restore.py around it."""

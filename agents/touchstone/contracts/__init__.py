"""What is on the wire, in the order a record meets it.

partitioner.py (which partition), envelope.py (headers), codec.py (Confluent wire format) with registry.py (schemas by id) and binary.py
(the two hot records by hand), json_form.py and times.py (what the command line speaks), reasons.py (why a record is refused).
`reference.py` makes the reference page of all this.
"""

"""`./inv doctor`: what would spoil a run on these machines, and what mends it, without changing anything on them.

`examine.py` asks the machines, `checks.py` turns what they are into findings, `findings.py` has the codes with their
sentences, `table.py` shows them. A bench asks `checks.quick` about the facts that it has anyway.
"""

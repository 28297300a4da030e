"""What a judge of texts is worth: labelled records, rates with their intervals, thresholds, latency.

Responsible for: figures, from records and what was said of them. Pure, standard library only.
Must never: judge a text, or do I/O; who judges hands over scores.
"""

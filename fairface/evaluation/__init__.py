"""The evaluation: photographs and pairs in, predictions and a report out."""

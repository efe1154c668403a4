"""In which precision a net may embed; known without MXNet, for the options of programs."""

PRECISIONS = ("fp32", "bf16")

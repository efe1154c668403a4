"""Face recognition on MXNet/Gluon: trained well, made fair on purpose, scored honestly."""

__version__ = "0.1.0"

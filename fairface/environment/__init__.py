"""Make, or find, the Python environment that the programs run in: ``python -m fairface.environment``.

Runs before anything is installed, so it uses Python's own library only.
"""

from fairface.errors import FairfaceError


class SetupError(FairfaceError):
    """The environment cannot be made on this machine as it is."""

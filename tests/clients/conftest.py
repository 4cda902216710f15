"""The sandbox that the API's tests share, for the samples too."""

from tests.unit.conftest import api_sandbox

__all__ = ["api_sandbox"]

from tests.inbox.conftest import quiet

__all__ = ["quiet"]

from tests.e2e.conftest import fresh_org, project

__all__ = ["fresh_org", "project"]

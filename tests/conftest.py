"""For all tests: speed is never asserted, and what hypothesis found once is not remembered between machines."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "project", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("project")

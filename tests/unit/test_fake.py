"""The provider ``fake`` does what every provider must."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_itbench.testing.conformance import EnvironmentConformance, make_options
from pytest_itbench.testing.fake import FakeProvider


class TestConformance(EnvironmentConformance):
    """The same tests that the provider of containers passes."""

    @pytest.fixture
    def provider(self, tmp_path: Path) -> FakeProvider:
        """The one under test."""
        return FakeProvider(make_options(tmp_path))

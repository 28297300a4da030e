"""The official SDKs as clients of the running service: black box, over real sockets."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.lab")

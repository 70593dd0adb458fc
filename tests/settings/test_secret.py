"""A secret shows itself nowhere."""

import copy
import pickle

import pytest

from isla_console.settings.secret import Secret


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("s3cret-w0rd")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", f"{[secret]} {secret}"]
    assert not any("s3cret" in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)
    assert secret == Secret("s3cret-w0rd")
    assert secret != Secret("other")
    assert secret
    assert not Secret("")

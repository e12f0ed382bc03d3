def test_alive_is_not_ready(nowhere):
    assert nowhere.get("/healthz").status_code == 200
    assert nowhere.get("/readyz").status_code == 503


def test_ready(client):
    assert client.get("/readyz").json == {"status": "ready"}

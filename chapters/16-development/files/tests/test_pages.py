def test_browsers_get_the_page(client):
    response = client.get("/", headers={"Accept": "text/html"})
    assert response.mimetype == "text/html"
    assert "Ram Ram bhai Sareya Ne" in response.text


def test_everything_else_gets_a_line(client):
    assert client.get("/").text == "Ram Ram bhai Sareya Ne\n"
